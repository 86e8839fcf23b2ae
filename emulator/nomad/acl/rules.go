package acl

import "strings"

// set is what is allowed of one thing.
type set map[Capability]bool

// add allows more; nothing is allowed once a rule denies it.
func (s set) add(capabilities []string) {
	for _, c := range capabilities {
		s[Capability(c)] = true
	}
}

// any tells whether one of the capabilities is allowed.
func (s set) any(capabilities ...Capability) bool {
	if s[deny] {
		return false
	}
	for _, c := range capabilities {
		if s[c] {
			return true
		}
	}
	return false
}

// rules are what holds by the name of the thing, where * stands for any text.
type rules[T any] map[string]T

// find is what holds for a name: what is written for it alone or, failing that,
// the pattern that has the most of it.
func (r rules[T]) find(name string) (found T, ok bool) {
	if found, ok = r[name]; ok {
		return found, true
	}
	best := ""
	for pattern := range r {
		if strings.Contains(pattern, "*") && matches(pattern, name) && (!ok || closer(pattern, best)) {
			best, ok = pattern, true
		}
	}
	return r[best], ok
}

// closer tells whether a pattern has more of a name that both fit than another.
func closer(pattern, other string) bool {
	more := literals(pattern) - literals(other)
	return more > 0 || more == 0 && pattern > other
}

func literals(pattern string) int { return len(pattern) - strings.Count(pattern, "*") }

// matches tells whether a name fits a pattern.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return true
}

package acl

import (
	"cmp"
	"slices"
	"strings"
)

// table is the rules of one resource that has names. It answers without
// allocating: an exact name costs one map look-up, a prefix one for each
// distinct length among the prefixes. It does not change once it is sealed.
type table struct {
	exact    map[string]level
	prefixes map[string]level
	lengths  []int   // distinct lengths of the prefixes, longest first
	sorted   []entry // every rule, by name
}

// entry is one rule; whether it is exact or a prefix no longer matters.
type entry struct {
	name  string
	level level
}

// add merges a rule into the table; seal must follow the last one.
func (t *table) add(r rule) {
	if t.exact == nil {
		t.exact, t.prefixes = make(map[string]level), make(map[string]level)
	}
	rules := t.exact
	if r.prefix {
		rules = t.prefixes
	}
	rules[r.name] = max(rules[r.name], r.level)
}

// seal prepares the table for look-ups.
func (t *table) seal() {
	for name, l := range t.exact {
		t.sorted = append(t.sorted, entry{name, l})
	}
	for name, l := range t.prefixes {
		t.sorted = append(t.sorted, entry{name, l})
		t.lengths = append(t.lengths, len(name))
	}
	slices.SortFunc(t.sorted, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	slices.SortFunc(t.lengths, func(a, b int) int { return cmp.Compare(b, a) })
	t.lengths = slices.Compact(t.lengths)
}

// lookup finds the level that holds for a name: that of its exact rule, else
// of the longest prefix rule, else fallback.
func (t *table) lookup(name string, fallback level) level {
	if l, ok := t.exact[name]; ok {
		return l
	}
	return t.covering(name, fallback)
}

// covering finds the level of the longest prefix rule that covers a name, else
// fallback.
func (t *table) covering(name string, fallback level) level {
	for _, length := range t.lengths {
		if length > len(name) {
			continue
		}
		if l, ok := t.prefixes[name[:length]]; ok {
			return l
		}
	}
	return fallback
}

// below returns the rules whose names start with prefix.
func (t *table) below(prefix string) []entry {
	first, _ := slices.BinarySearchFunc(t.sorted, prefix, func(e entry, name string) int {
		return cmp.Compare(e.name, name)
	})
	last := first
	for last < len(t.sorted) && strings.HasPrefix(t.sorted[last].name, prefix) {
		last++
	}
	return t.sorted[first:last]
}

// allowsAll reports whether every name that starts with prefix is granted the
// access, whatever things exist.
func (t *table) allowsAll(access Access, prefix string, fallback level) bool {
	refused := func(e entry) bool { return !e.level.allows(access) }
	return t.covering(prefix, fallback).allows(access) && !slices.ContainsFunc(t.below(prefix), refused)
}

// allowsAny reports whether some name is granted the access.
func (t *table) allowsAny(access Access, fallback level) bool {
	granted := func(e entry) bool { return e.level.allows(access) }
	return t.covering("", fallback).allows(access) || slices.ContainsFunc(t.sorted, granted)
}

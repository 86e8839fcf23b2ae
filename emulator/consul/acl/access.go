package acl

import "strings"

// Access is what a caller wants to do with a resource. The zero value is no
// access; it is never allowed by a rule.
type Access uint8

// What a caller may want. Each includes the ones before it: who may write may
// also list and read.
const (
	// Read looks at one thing.
	Read Access = iota + 1
	// List enumerates keys. Only Key has it, and only where the agent is
	// configured with enable_key_list_policy: elsewhere ask for Read.
	List
	// Write creates, changes or removes one thing.
	Write
)

// String is the access as rules and error messages write it.
func (a Access) String() string {
	switch a {
	case Read:
		return "read"
	case List:
		return "list"
	case Write:
		return "write"
	default:
		return "none"
	}
}

// level is what a rule grants. Its order is that of precedence: where several
// policies have a rule for the same thing, the highest level holds. Up to Write
// the numbers are those of Access.
type level uint8

const (
	unset level = 0
	deny  level = level(Write) + 1
)

// allows reports whether the level grants the access. An unset level grants
// nothing: the caller falls back on something else first.
func (l level) allows(access Access) bool {
	return access != 0 && l != deny && l >= level(access)
}

// parseLevel reads a policy disposition of any resource. Capital letters are
// accepted, as Consul does.
func parseLevel(policy string) (level, bool) {
	switch strings.ToLower(policy) {
	case "read":
		return level(Read), true
	case "list":
		return level(List), true
	case "write":
		return level(Write), true
	case "deny":
		return deny, true
	default:
		return unset, false
	}
}

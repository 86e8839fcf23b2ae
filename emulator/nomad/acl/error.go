package acl

import "fmt"

// Error says what is wrong with the rules of a policy, in the words of Nomad.
type Error struct{ Problem string }

func (e *Error) Error() string { return e.Problem }

func fault(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

package identity

import "fmt"

// Error says what is wrong with an expression, in words that Consul answers with.
type Error struct{ Problem string }

func (e *Error) Error() string { return e.Problem }

func fault(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

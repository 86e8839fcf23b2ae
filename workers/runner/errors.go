package runner

import (
	"errors"
	"fmt"
	"time"
)

// ErrPermanent marks an error that trying again cannot mend: the event is
// given up at once. Handlers wrap it beside the cause, as Permanent does.
var ErrPermanent = errors.New("cannot be mended by trying again")

// Permanent marks an error with ErrPermanent.
func Permanent(err error) error { return fmt.Errorf("%w: %w", ErrPermanent, err) }

var (
	errDrop      = errors.New("dropped")
	errDuplicate = errors.New("handled before")
)

// Drop says that the event is of no use to anybody any more: it is
// acknowledged, counted and logged, and makes no dead letter.
func Drop(err error) error { return fmt.Errorf("%w: %w", errDrop, err) }

// RetryAfter says when another attempt has a chance, instead of the runner's
// own backoff. The attempt counts.
func RetryAfter(err error, after time.Duration) error { return &retryAfter{err, after} }

type retryAfter struct {
	error
	after time.Duration
}

func (e *retryAfter) Unwrap() error { return e.error }

// Unavailable says that a dependency is away and the event not to blame.
// Nothing more is begun until the dependency's Check passes; one that is not
// among the Options is taken to be back after a backoff. The event then begins
// anew and the attempt does not count, unless it has met as many outages as it
// has attempts.
func Unavailable(dependency string, err error) error { return &unavailable{err, dependency} }

type unavailable struct {
	error
	dependency string
}

func (e *unavailable) Error() string { return e.dependency + " is away: " + e.error.Error() }
func (e *unavailable) Unwrap() error { return e.error }

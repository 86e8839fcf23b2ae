package vips

import (
	"errors"
	"fmt"
)

// Rejected says that the picture itself can never be processed: trying again is useless.
type Rejected struct {
	Reason string // a sentence that its owner understands
	Detail string // what the decoder said, for logs; may hold words about other pictures that failed then
}

func (r *Rejected) Error() string {
	if r.Detail == "" {
		return r.Reason
	}
	return fmt.Sprintf("%s (%s)", r.Reason, r.Detail)
}

func reject(format string, args ...any) error {
	return &Rejected{Reason: fmt.Sprintf(format, args...)}
}

// ErrTime is returned when a picture takes longer than Limits.Time. It may be the machine's fault
// rather than the picture's, so it is not a Rejected.
var ErrTime = errors.New("the picture took too long")

// ErrMemory is returned when memory runs out. Try again later, or elsewhere.
var ErrMemory = errors.New("out of memory")

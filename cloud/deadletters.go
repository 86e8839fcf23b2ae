package cloud

import (
	"context"
	"iter"
	"time"
)

// DeadLetters are the events that consumers gave up, kept whole until somebody
// sends them again or removes them.
//
// DeadLetters is safe for concurrent use. Calls that get no answer end with
// ErrUnavailable.
type DeadLetters interface {
	// List yields the letters that the filter lets through and that were there
	// when it began, in the order of their revisions: oldest first, where an edit
	// makes a letter young again. An error ends the sequence.
	List(ctx context.Context, filter LetterFilter) iter.Seq2[Letter, error]
	// Get returns ErrNotFound when there is no such letter, or no longer.
	Get(ctx context.Context, id string) (Letter, error)
	// Edit replaces the event's data and notes so in the history. ErrConflict
	// when the letter is not at the given revision any more.
	Edit(ctx context.Context, id string, revision uint64, data []byte) error
	// Redrive sends the event again to the consumer that gave it up, to no
	// other, and then removes the letter. Attempts start anew; the history goes
	// along, so that the letter which a second failure makes tells of the first.
	Redrive(ctx context.Context, id string, revision uint64) error
	// Delete removes a letter. Removing a missing one is no error.
	Delete(ctx context.Context, id string) error

	// Ready returns nil while the letters can be reached, else the reason why not.
	Ready(ctx context.Context) error
	// Close releases the connection. It may be called twice.
	Close() error
}

// LetterFilter selects letters; the zero value selects all.
type LetterFilter struct {
	Stream, Consumer string    // exactly, when not empty
	Before, After    time.Time // dead-lettered then, when not zero
	// Reason is part of the reason or of an error, whatever its case.
	Reason string
	// Beyond selects higher revisions, to go on after the letter seen last.
	Beyond uint64
}

// Failure is why an event was given up.
type Failure struct {
	// Reason is the kind of end: "permanent", "attempts used up" or "never
	// came to an end".
	Reason string
	// First and Last are the errors of the first and the last attempt that are
	// known. They are the same when there was one.
	First, Last string
	// Began is when the first attempt failed; zero when that is not known.
	Began time.Time
}

// Letter is one event that a consumer gave up.
type Letter struct {
	// ID is "<stream>.<consumer>.<number>".
	ID       string
	Revision uint64 // changes with each edit
	Stream   string
	Consumer string
	Topic    string // that the event was published to
	Event    Event
	Failure
	Attempts int
	At       time.Time // when it was given up
	// History tells what was done before: edits, and the letters that earlier
	// failures of the same event made, oldest first.
	History []LetterChange
}

// Redriven counts how often the event was sent again.
func (l Letter) Redriven() int {
	n := 0
	for _, change := range l.History {
		if change.Kind == LetterRedriven {
			n++
		}
	}
	return n
}

// Kinds of LetterChange.
const (
	LetterEdited   = "edited"
	LetterRedriven = "redriven"
)

// LetterChange is one line of a letter's history.
type LetterChange struct {
	Kind   string    `json:"kind"`
	Letter string    `json:"letter"` // the ID it had then
	At     time.Time `json:"at"`
	// Of the failure that was answered by sending it again; empty for edits.
	Reason   string `json:"reason,omitempty"`
	Last     string `json:"last,omitempty"`
	Attempts int    `json:"attempts,omitempty"`
}

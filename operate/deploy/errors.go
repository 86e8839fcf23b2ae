package deploy

import (
	"fmt"
	"strings"
)

// MissingItemsError says which items jobs read that nobody has given.
type MissingItemsError struct{ Missing []MissingItem }

// MissingItem is an item of a job's Nomad variable.
type MissingItem struct {
	Job  string // its ID
	Item string
	Hint string // how to give it
}

func (e *MissingItemsError) Error() string {
	var text strings.Builder
	text.WriteString("items that jobs read from their Nomad variables are missing:")
	for _, m := range e.Missing {
		fmt.Fprintf(&text, "\n  job %s: %s: %s", m.Job, m.Item, m.Hint)
	}
	return text.String()
}

// JobError says why a job is not deployed, or not healthy.
type JobError struct {
	Job string // its ID
	Err error
}

func (e *JobError) Error() string { return fmt.Sprintf("job %s: %v", e.Job, e.Err) }

func (e *JobError) Unwrap() error { return e.Err }

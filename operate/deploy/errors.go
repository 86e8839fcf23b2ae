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
	Part string // whose address would make the item; empty if none would
}

func (e *MissingItemsError) Error() string {
	var text strings.Builder
	text.WriteString("items that jobs read from their Nomad variables are missing:")
	for _, m := range e.Missing {
		fmt.Fprintf(&text, "\n  %s", m)
	}
	return text.String()
}

// String says what is missing and how to give it.
func (m MissingItem) String() string {
	text := fmt.Sprintf("job %s: item %s: give it with --item %s=…, or put it into nomad/jobs/%s", m.Job, m.Item, m.Item, m.Job)
	if m.Part != "" {
		text = fmt.Sprintf("job %s: item %s: say where its part is with --address %s=host:port, or give the item with --item %s.%s=…", m.Job, m.Item, m.Part, m.Job, m.Item)
	}
	return text
}

// JobError says why a job is not healthy.
type JobError struct {
	Job    string // its ID
	Reason string
	Err    error // the context's, when that ended before
}

func (e *JobError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("job %s: %v: %s", e.Job, e.Err, e.Reason)
	}
	return fmt.Sprintf("job %s: %s", e.Job, e.Reason)
}

func (e *JobError) Unwrap() error { return e.Err }

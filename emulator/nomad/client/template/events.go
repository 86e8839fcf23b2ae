package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
)

// Types of events that the API has no names for.
const (
	hookFailed      = "Task hook failed"
	hookMessage     = "Task hook message"
	templateMessage = "Template"
)

// shownMissing is how many missing things an event names.
const shownMissing = 3

// failure is why templates cannot be rendered, as its event says it.
type failure struct{ message string }

func (f *failure) Error() string { return f.message }

// fail ends the task.
func (r *renderer) fail(err error) {
	r.task.Kill(killing(err.Error()))
	r.err = err
	close(r.failed)
}

func killing(message string) *api.TaskEvent {
	return &api.TaskEvent{
		Type: api.TaskKilling, DisplayMessage: message, FailsTask: true, Details: map[string]string{"fails_task": "true"},
	}
}

// tellMissing adds an event about what a first rendering waits for, unless it
// is what was told before. It returns what has been told.
func (r *renderer) tellMissing(before string) string {
	var missing []string
	for _, b := range r.blocks {
		if !b.done {
			missing = append(missing, b.missing...)
		}
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	if len(missing) == 0 {
		return before
	}
	text := strings.Join(missing[:min(len(missing), shownMissing)], ", ")
	if more := len(missing) - shownMissing; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	if text != before {
		r.task.Emit(&api.TaskEvent{Type: templateMessage, DisplayMessage: "Missing: " + text})
	}
	return text
}

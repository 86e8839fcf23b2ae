package consul

import (
	"encoding/binary"
	"sync"

	"github.com/google/uuid"
)

const (
	// keptEvents is how many events an agent remembers.
	keptEvents = 256

	// eventVersion is the version of an event's form.
	eventVersion = 1

	// eventClockStart is what the clock of a datacenter's events starts with.
	eventClockStart = 1
)

// event is a user event, as the API tells it.
type event struct {
	ID            string // a UUID
	Name          string
	Payload       []byte // nil when empty
	NodeFilter    string // regular expressions: who gets it
	ServiceFilter string
	TagFilter     string
	Version       int
	LTime         uint64 // the datacenter's clock, which counts events
}

// index is a number made of the ID, which stands for the event in blocking queries.
func (e event) index() uint64 {
	id := uuid.MustParse(e.ID)
	return binary.BigEndian.Uint64(id[:8]) ^ binary.BigEndian.Uint64(id[8:])
}

// eventRing is the last events that an agent has got. Its methods may be called
// from any goroutine.
type eventRing struct {
	mu      sync.Mutex
	events  []event       // oldest first
	changed chan struct{} // closed with the next event; nil when nobody waits
}

func (r *eventRing) add(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == keptEvents {
		r.events = r.events[1:]
	}
	r.events = append(r.events, e)
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// list are the events, never nil, and what is closed when there is another.
// The caller may change the list.
func (r *eventRing) list() ([]event, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return append([]event{}, r.events...), r.changed
}

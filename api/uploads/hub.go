package uploads

import (
	"sync"
	"time"
)

const (
	// backlog is how many events may wait for a slow reader before its stream ends.
	backlog = 64
	// slack is by how much the clock of who changed a record may differ from ours.
	slack = time.Minute
)

// hub hands what one watch of the records sees to all event streams. It never
// waits for a reader.
type hub struct {
	mu        sync.Mutex
	closed    bool
	listeners map[string]map[*listener]struct{} // by owner
}

// listener is one stream's end of the hub.
type listener struct {
	id     string // of the one upload it is about; empty for all of the owner's
	since  time.Time
	events chan any // of Upload and Deleted; closed when the reader is too slow or the service stops
}

func newHub() *hub { return &hub{listeners: map[string]map[*listener]struct{}{}} }

// join adds a listener to what changes from now on.
func (h *hub) join(owner, id string, now time.Time) *listener {
	l := &listener{id: id, since: now.Add(-slack), events: make(chan any, backlog)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(l.events)
		return l
	}
	if h.listeners[owner] == nil {
		h.listeners[owner] = map[*listener]struct{}{}
	}
	h.listeners[owner][l] = struct{}{}
	return l
}

// leave takes a listener away, if the hub has not done so itself.
func (h *hub) leave(owner string, l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(owner, l)
}

func (h *hub) remove(owner string, l *listener) {
	delete(h.listeners[owner], l)
	if len(h.listeners[owner]) == 0 {
		delete(h.listeners, owner)
	}
}

// wanted tells whether anybody listens for a change.
func (h *hub) wanted(owner, id string, at time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners[owner] {
		if l.wants(id, at) {
			return true
		}
	}
	return false
}

// tell hands an event to those who want it, and returns how many streams it
// ended because their readers were too slow.
func (h *hub) tell(owner, id string, at time.Time, event any) (dropped int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners[owner] {
		if !l.wants(id, at) {
			continue
		}
		select {
		case l.events <- event:
		default:
			dropped++
			close(l.events)
			h.remove(owner, l)
		}
	}
	return dropped
}

// wants is false for changes from before the listener came: a watch begins
// with all the records there are, and whoever listens has read those.
func (l *listener) wants(id string, at time.Time) bool {
	return (l.id == "" || l.id == id) && !at.Before(l.since)
}

// close ends all streams, and those to come.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, listeners := range h.listeners {
		for l := range listeners {
			close(l.events)
		}
	}
	h.listeners = nil
}

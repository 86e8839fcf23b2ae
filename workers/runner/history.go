package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/drydock/drydock/cloud"
)

const (
	// recordsDependency is the name of Options.Records among the dependencies.
	recordsDependency = "history"
	// remembered bounds the failed events that a process remembers by itself.
	remembered = 10_000
	// longest bounds the text of an error that is remembered, in bytes.
	longest = 4 << 10
)

// past is what is known of an event.
type past struct {
	Done     bool      `json:"done,omitempty"`  // by this consumer
	First    string    `json:"first,omitempty"` // error
	Began    time.Time `json:"began,omitzero"`  // to fail
	revision uint64
}

// failure describes the end of an event.
func (p past) failure(reason string, cause error, t *task) cloud.Failure {
	if p.First == "" {
		p.First = cause.Error()
		if t.attempt == 1 {
			p.Began = time.Now()
		}
	}
	return cloud.Failure{Reason: reason, First: p.First, Last: cause.Error(), Began: p.Began}
}

// history remembers what became of events: in records, or else the failed ones
// in memory.
type history struct {
	consumer string
	records  cloud.Records // may be nil
	keep     time.Duration

	mu     sync.Mutex
	errors map[identity]past
}

// identity is what tells events apart.
type identity struct{ source, id string }

func identify(event cloud.Event) identity { return identity{event.Source, event.ID} }

func newHistory(o Options) *history {
	return &history{consumer: o.Name, records: o.Records, keep: o.Remember, errors: map[identity]past{}}
}

// recall looks up the past of a task.
func (h *history) recall(ctx context.Context, t *task) error {
	if h.records == nil {
		if t.attempt > 1 {
			h.mu.Lock()
			defer h.mu.Unlock()
			t.past = h.errors[identify(t.event)]
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	t.past = past{}
	record, err := h.records.Get(ctx, h.key(t.event))
	if errors.Is(err, cloud.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(record.Value, &t.past)
	}
	t.past.revision = record.Revision
	return err
}

// done takes note that the event was handled.
func (h *history) done(ctx context.Context, t *task) error {
	if h.records == nil {
		if t.past.First != "" {
			h.forget(ctx, t)
		}
		return nil
	}
	return h.put(ctx, t, past{Done: true, revision: t.past.revision})
}

// fail takes note of an event's first error.
func (h *history) fail(ctx context.Context, t *task, cause error) error {
	if t.past.First != "" {
		return nil
	}
	t.past.First, t.past.Began = cause.Error(), time.Now().UTC()
	if len(t.past.First) > longest {
		t.past.First = strings.ToValidUTF8(t.past.First[:longest], "")
	}
	if h.records != nil {
		return h.put(ctx, t, t.past)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for id := range h.errors {
		if len(h.errors) < remembered {
			break
		}
		delete(h.errors, id) // some other: a letter will know less of it
	}
	h.errors[identify(t.event)] = t.past
	return nil
}

// forget lets the event begin anew.
func (h *history) forget(ctx context.Context, t *task) {
	if h.records != nil {
		ctx, cancel := context.WithTimeout(ctx, answerWait)
		defer cancel()
		_ = h.records.Delete(ctx, h.key(t.event)) // else it expires
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.errors, identify(t.event))
}

// put writes the record, unless another instance was faster.
func (h *history) put(ctx context.Context, t *task, p past) error {
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	revision, err := h.records.Put(ctx, h.key(t.event), value, p.revision, h.keep)
	if errors.Is(err, cloud.ErrConflict) || errors.Is(err, cloud.ErrExists) {
		return nil
	}
	t.past.revision = revision
	return err
}

// key is made of the event's whole identity, whatever is in it.
func (h *history) key(event cloud.Event) string {
	sum := sha256.Sum256([]byte(event.Source + "\x00" + event.ID))
	return h.consumer + "/" + hex.EncodeToString(sum[:])
}

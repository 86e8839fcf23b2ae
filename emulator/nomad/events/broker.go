// Package events tells what changes in a region to whoever follows it, as
// Nomad's event stream does: each commit is a batch of events, by topic, of
// which the last are kept for those who come later.
//
// The emulated servers of package nomad feed a Broker with their commits, and
// serve its subscriptions.
package events

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

const (
	// kept is how many batches are kept for those who subscribe later, as the
	// real servers' event_buffer_size is by default.
	kept = 100
	// slack is how many batches behind the newest a subscriber may be.
	slack = 10_000
)

// ErrClosed ends a subscription whose subscriber does not keep up, or whose
// region is in another state now, that of a snapshot.
var ErrClosed = errors.New("subscription closed by server, client should resubscribe")

// Broker passes batches of events on. Its methods may be called from any goroutine.
type Broker struct {
	mu    sync.Mutex
	first *batch // the oldest that is kept
	last  *batch // whose next is to come
	count int
	made  uint64 // batches so far
}

// New makes a broker.
func New() *Broker {
	none := &batch{arrived: make(chan struct{})}
	return &Broker{first: none, last: none}
}

// batch is the events of one commit, and leads to the next one.
type batch struct {
	number  uint64
	Index   uint64
	events  []*Event
	arrived chan struct{} // closed when next is known
	next    *batch        // nil when there is none any more
}

// Observe makes a batch of a commit that has any event. Of several evaluations
// all but the last have a batch of their own, as the real servers write them one
// by one.
func (b *Broker) Observe(c store.Commit) {
	if c.Restored {
		b.restart()
		return
	}
	events := eventsOf(c)
	b.mu.Lock()
	defer b.mu.Unlock()
	isEvaluation := func(e *Event) bool { return e.Topic == api.TopicEvaluation }
	for {
		first := slices.IndexFunc(events, isEvaluation)
		if first < 0 || !slices.ContainsFunc(events[first+1:], isEvaluation) {
			break
		}
		b.add(c.Index, []*Event{events[first]})
		events = slices.Delete(events, first, first+1)
	}
	if len(events) > 0 {
		b.add(c.Index, events)
	}
}

// add makes a batch. The caller holds the lock.
func (b *Broker) add(index uint64, events []*Event) {
	b.made++
	next := &batch{number: b.made, Index: index, events: events, arrived: make(chan struct{})}
	before := b.last
	before.next, b.last = next, next
	close(before.arrived)
	if b.count++; b.count > kept {
		b.first = b.first.next
		b.count--
	}
}

// restart forgets what is kept, and ends the subscriptions.
func (b *Broker) restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	end, none := b.last, &batch{number: b.made, arrived: make(chan struct{})}
	b.first, b.last, b.count = none, none, 0
	close(end.arrived)
}

// Subscribe begins to follow, from the first batch that is kept with the index
// or a later one. With the index 0 that is everything that is kept.
func (b *Broker) Subscribe(index uint64, wants Filter) *Subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.first
	for at.next != nil && at.next.Index < index {
		at = at.next
	}
	return &Subscription{broker: b, at: at, wants: wants}
}

// Subscription is one subscriber's place. One goroutine uses it.
type Subscription struct {
	broker *Broker
	at     *batch // the last that was read
	wants  Filter
}

// Next waits for the next batch that has an event which is wanted. The error is
// ErrClosed or the context's.
func (s *Subscription) Next(ctx context.Context) (index uint64, events []*Event, err error) {
	for {
		select {
		case <-s.at.arrived:
		case <-ctx.Done():
			return 0, nil, ctx.Err()
		}
		if s.at.next == nil {
			return 0, nil, ErrClosed
		}
		s.at = s.at.next
		if s.broker.newest()-s.at.number > slack {
			return 0, nil, ErrClosed
		}
		for _, e := range s.at.events {
			if s.wants(e) {
				events = append(events, e)
			}
		}
		if len(events) > 0 {
			return s.at.Index, events, nil
		}
	}
}

func (b *Broker) newest() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.made
}

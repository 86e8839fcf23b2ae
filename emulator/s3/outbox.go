package s3

import (
	"context"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Notifier delivers bucket events to one destination.
type Notifier interface {
	// Notify returns nil only once the destination has durably accepted the
	// event. It is called again with the same id until it does, also after a
	// restart, so that a destination can tell a repetition by the id. Calls for
	// different keys may come at the same time; for one key they come in order.
	Notify(ctx context.Context, id string, event []byte) error
}

const (
	outboxLanes   = 8   // per destination: a key always takes the same one
	laneOffers    = 250 // events in a lane that are nowhere else
	notifyTimeout = 5 * time.Second
	backoffFirst  = 20 * time.Millisecond
	backoffLast   = 5 * time.Second
)

// outbox delivers committed events. What it has not delivered when it stops is
// still in the log.
type outbox struct {
	log     *slog.Logger
	lanes   map[string][]*lane // by ARN
	tallies map[string]*tally  // by ARN
	seed    maphash.Seed
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// tally counts what became of the events for a destination.
type tally struct{ accepted, failed, dropped atomic.Int64 }

// lane is a queue of events that are delivered one after the other. It holds
// places in the log, not events, so that an outage costs little memory.
type lane struct {
	notifier Notifier
	mu       sync.Mutex
	queue    []parcel // the first is being delivered
	offers   int      // of the queue, those that are not in the log
	wake     chan struct{}
}

// parcel is an event on its way: one of a record in the log, or one that is not
// in the log.
type parcel struct {
	place
	index int
	event *event
}

func (p parcel) read() (event, error) {
	if p.event != nil {
		return *p.event, nil
	}
	return p.seg.readEvent(p.off, p.len, p.index)
}

func (p parcel) delivered() {
	if p.event == nil {
		p.seg.delivered(p.off, p.index)
	}
}

func startOutbox(notifiers map[string]Notifier, log *slog.Logger) *outbox {
	ctx, cancel := context.WithCancel(context.Background())
	o := &outbox{log: log, lanes: map[string][]*lane{}, tallies: map[string]*tally{}, seed: maphash.MakeSeed(), cancel: cancel}
	for arn, n := range notifiers {
		o.tallies[arn] = &tally{}
		for range outboxLanes {
			l := &lane{notifier: n, wake: make(chan struct{}, 1)}
			o.lanes[arn] = append(o.lanes[arn], l)
			o.wg.Go(func() { o.run(ctx, l) })
		}
	}
	return o
}

// enqueue takes the events of a committed record, except those for which skip
// is true. An event without a destination in this run stays in the log.
func (o *outbox) enqueue(r *record, p place, skip func(index int) bool) {
	for i, ev := range r.Events {
		if skip != nil && skip(i) {
			continue
		}
		lanes := o.lanes[ev.ARN]
		if len(lanes) == 0 {
			o.log.Warn("s3 event kept: its destination is not configured", "arn", ev.ARN, "event", ev.ID)
			continue
		}
		o.lane(lanes, r.Bucket+"/"+r.Key).add(parcel{place: p, index: i})
	}
}

func (o *outbox) lane(lanes []*lane, key string) *lane {
	return lanes[maphash.String(o.seed, key)%outboxLanes]
}

// offer takes an event that is not in the log, if there is room: while its
// destination is away, the first are kept and the rest are dropped.
func (o *outbox) offer(key string, ev event) {
	lanes := o.lanes[ev.ARN]
	if len(lanes) == 0 {
		return
	}
	if !o.lane(lanes, key).add(parcel{event: &ev}) {
		o.tallies[ev.ARN].dropped.Add(1)
		o.log.Warn("s3 event dropped: its destination takes none", "arn", ev.ARN, "event", ev.ID)
	}
}

func (l *lane) add(p parcel) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.event != nil {
		if l.offers == laneOffers {
			return false
		}
		l.offers++
	}
	l.queue = append(l.queue, p)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

func (l *lane) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue)
}

// next returns the first of the queue, and leaves it there until it is delivered.
func (l *lane) next() (parcel, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return parcel{}, false
	}
	return l.queue[0], true
}

func (l *lane) delivered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queue[0].event != nil {
		l.offers--
	}
	l.queue = l.queue[1:]
	if len(l.queue) == 0 {
		l.queue = nil
	}
}

// first returns up to n of the queue.
func (l *lane) first(n int) []parcel {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.queue[:min(n, len(l.queue))])
}

func (o *outbox) run(ctx context.Context, l *lane) {
	for {
		p, ok := l.next()
		if !ok {
			select {
			case <-l.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		if !o.deliver(ctx, l.notifier, p) {
			return
		}
		l.delivered()
	}
}

// deliver returns false when the outbox stops before the event is accepted.
func (o *outbox) deliver(ctx context.Context, n Notifier, p parcel) bool {
	for wait := backoffFirst; ; wait = min(2*wait, backoffLast) {
		if ctx.Err() != nil {
			return false
		}
		ev, err := p.read()
		if err == nil {
			err = notifyOnce(ctx, n, ev)
		}
		if err == nil {
			o.tallies[ev.ARN].accepted.Add(1)
			p.delivered()
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if t := o.tallies[ev.ARN]; t != nil { // nil when the event could not be read
			t.failed.Add(1)
		}
		o.log.Warn("s3 event not accepted, trying again", "event", ev.ID, "arn", ev.ARN, "wait", wait, "error", err)
		t := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return false
		}
	}
}

func notifyOnce(ctx context.Context, n Notifier, ev event) error {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	return n.Notify(ctx, ev.ID, ev.Body)
}

// stop ends delivery and waits for the calls under way to return.
func (o *outbox) stop() {
	o.cancel()
	o.wg.Wait()
}

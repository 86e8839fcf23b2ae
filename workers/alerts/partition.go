package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/contract/rules"
)

// How the worker signs its events.
const (
	source        = "/drydock/filter"
	typeTriggered = "dev.drydock.alerts.triggered"
)

const (
	prefetch = 512 // quotes of a partition that wait to be evaluated
	writing  = 16  // records of a partition that are written at once

	restoreWait = time.Minute // for the records of a partition to be read

	// quiet is how many positions of the stream a symbol may be without a quote
	// before its window is saved, so that nobody has to read back to it.
	quiet = 100_000

	// restRatio bounds the share of its time that a partition spends on
	// checkpoints: the pause after one is at least so many times as long as it.
	restRatio = 5
)

// partition is one part of the quotes, with the engine of its rules.
type partition struct {
	number int
	worker *worker

	mu     sync.Mutex
	engine *rules.Engine
	late   []contract.Alert // of rules that were put after their first quotes
	wake   chan struct{}    // there are late ones
}

func newPartition(number int, w *worker) *partition {
	return &partition{number: number, worker: w, engine: rules.New(w.MaxAge), wake: make(chan struct{}, 1)}
}

func (p *partition) putRule(rule contract.Rule) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(p.late)
	var err error
	if p.late, err = p.engine.Put(p.late, rule); len(p.late) > before {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	return err
}

func (p *partition) removeRule(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.engine.Remove(id)
}

// found is a quote that was read.
type found struct {
	quote       contract.Quote
	traceParent string
	position    uint64
	published   time.Time
	err         error // of the reading, which ends with it
}

// owner is the work of one tenure.
type owner struct {
	*partition
	held       lease
	position   uint64            // of the last quote that was evaluated or skipped
	published  time.Time         // when that was
	next       uint64            // the least position that the next quote can have
	recent     recent            // the traces of the last quotes
	revisions  map[string]uint64 // of the partition's states and windows
	publishing *errgroup.Group   // the alerts since the last snapshot
	written    chan error        // gets the end of the checkpoint that is being written; nil while none is
	behind     bool
}

// follow owns the partition until the context ends, then writes a last
// checkpoint and gives it back. It returns an error when it cannot go on: what
// there is in memory is worth nothing then, and a new tenure begins with what
// was written.
func (p *partition) follow(ctx context.Context, held lease) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, func() { time.AfterFunc(p.worker.Drain, cancel) })()

	o := &owner{partition: p, held: held, position: held.Position, published: held.Published, next: held.Need, revisions: map[string]uint64{}, publishing: &errgroup.Group{}, behind: true}
	defer o.leave()
	defer func() { // what is on its way has to end before the next tenure
		cancel()
		o.publishing.Wait()
	}()
	if err := o.restore(ctx); err != nil {
		return err
	}
	reading, stop := context.WithCancel(ctx)
	quotes := make(chan found, prefetch)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer stop()
	reader.Go(func() { o.read(reading, held, quotes) })

	err := o.evaluate(ctx, work, quotes)
	if err != nil {
		cancel()
	}
	if o.written != nil {
		err = errors.Join(err, <-o.written)
	}
	if err != nil {
		return err
	}
	s, err := o.snapshot(work)
	if err != nil {
		return err
	}
	o.held.Owner = ""
	return o.checkpoint(work, s)
}

// restore takes the engine back to what was written.
func (o *owner) restore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restoreWait)
	defer cancel()
	o.mu.Lock()
	o.engine.Reset()
	o.late = nil
	o.mu.Unlock()
	for record, err := range o.worker.States.List(ctx, statesPrefix(o.number)) {
		if err != nil {
			return err
		}
		o.revisions[record.Key] = record.Revision
		o.mu.Lock()
		err = o.engine.Restore(record.Value)
		o.mu.Unlock()
		if err != nil {
			return fmt.Errorf("record %s: %w", record.Key, err)
		}
	}
	for record, err := range o.worker.States.List(ctx, windowsPrefix(o.number)) {
		if err != nil {
			return err
		}
		o.revisions[record.Key] = record.Revision
		symbol, err := url.PathUnescape(path.Base(record.Key))
		if err == nil {
			o.mu.Lock()
			err = o.engine.RestoreWindow(symbol, record.Value)
			o.mu.Unlock()
		}
		if err != nil {
			return fmt.Errorf("record %s: %w", record.Key, err)
		}
	}
	return nil
}

// leave lets the memory of the tenure go.
func (o *owner) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.engine.Reset()
	o.late = nil
}

// read hands on the quotes from the position that is needed, until the context ends.
func (o *owner) read(ctx context.Context, held lease, quotes chan<- found) {
	defer close(quotes)
	start := cloud.Start{Published: held.Published}
	if held.Need > 0 {
		start.After = cloud.Position(held.Need - 1)
	}
	for entry, err := range o.worker.Bus.Read(ctx, contract.TopicQuotes(o.number), start) {
		f := found{position: uint64(entry.Position), published: entry.Published, err: err}
		if err == nil {
			f.quote, f.traceParent = o.parse(entry), entry.Event.TraceParent
		}
		select {
		case quotes <- f:
		case <-ctx.Done():
			return
		}
	}
}

// parse reads a quote; one that is none is skipped, and has no symbol.
func (o *owner) parse(entry cloud.Entry) contract.Quote {
	quote, err := contract.ParseQuote(entry.Event.Data)
	if err == nil && contract.QuotePartition(quote.Symbol) != o.number {
		err = fmt.Errorf("the symbol %s does not belong to this topic", quote.Symbol)
	}
	if err != nil {
		o.worker.Metrics.unreadable.Inc()
		o.worker.Logger.Warn("unreadable quote", "topic", entry.Topic, "position", entry.Position, "error", err)
		return contract.Quote{}
	}
	return quote
}

// evaluate takes one quote after the other until ctx ends; work is the context
// of the work itself. Now and then it writes a checkpoint, while the quotes go on.
func (o *owner) evaluate(ctx, work context.Context, quotes <-chan found) error {
	due := time.NewTimer(o.worker.Checkpoint)
	defer due.Stop()
	var begun time.Time
	for {
		var err error
		select {
		case f, open := <-quotes:
			if !open { // only at the end of the context
				return nil
			}
			err = o.take(work, f)
			for range len(quotes) { // those that wait already
				if err == nil {
					err = o.take(work, <-quotes)
				}
			}
		case <-o.wake:
			err = o.publishLate(work)
		case <-due.C:
			begun = time.Now()
			err = o.beginCheckpoint(work)
		case err = <-o.written:
			o.written = nil
			due.Reset(max(o.worker.Checkpoint, restRatio*time.Since(begun)))
		case <-ctx.Done():
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// beginCheckpoint writes one on the side; written gets its end.
func (o *owner) beginCheckpoint(ctx context.Context) error {
	s, err := o.snapshot(ctx)
	if err != nil {
		return err
	}
	written := make(chan error, 1)
	go func() { written <- o.checkpoint(ctx, s) }()
	o.written = written
	return nil
}

// take evaluates one quote, or replays it when that was done before.
func (o *owner) take(ctx context.Context, f found) error {
	if f.err != nil {
		return f.err
	}
	if f.position < o.next || f.position <= o.position && !o.published.IsZero() && f.published.After(o.published) {
		o.position = 0 // the stream was made anew, and all that is in it is new
	}
	o.next = f.position + 1
	o.recent.add(f.quote, f.traceParent)
	var alerts []contract.Alert
	o.mu.Lock()
	if o.behind && f.position > o.position {
		o.behind = false
		alerts = o.engine.Resume(alerts)
	}
	switch {
	case f.quote.Symbol == "":
	case o.behind:
		o.engine.Replay(f.quote, f.position)
	default:
		alerts = o.engine.Evaluate(alerts, f.quote, f.position)
		o.worker.Metrics.quotes.Inc()
	}
	o.mu.Unlock()
	if o.behind {
		return nil
	}
	o.position, o.published = f.position, f.published
	o.worker.Metrics.lag.Set(time.Since(f.published).Seconds())
	return o.publish(ctx, alerts)
}

func (o *owner) publishLate(ctx context.Context) error {
	o.mu.Lock()
	alerts := o.late
	o.late = nil
	o.mu.Unlock()
	return o.publish(ctx, alerts)
}

// publish sends alerts on their way. It waits while too many are.
func (o *owner) publish(ctx context.Context, alerts []contract.Alert) error {
	for _, alert := range alerts {
		select {
		case o.worker.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		because := cloud.WithTrace(ctx, o.recent.traceOf(alert))
		o.publishing.Go(func() error {
			defer func() { <-o.worker.slots }()
			return o.publishOne(because, alert)
		})
	}
	return nil
}

// publishOne returns once the bus has the alert, or the context ends.
func (o *owner) publishOne(ctx context.Context, alert contract.Alert) error {
	data, err := json.Marshal(alert)
	if err != nil {
		return err
	}
	event := cloud.Event{ID: alert.ID, Source: source, Type: typeTriggered, Subject: alert.Rule, Time: alert.Time, Data: data}
	for {
		err := o.worker.Bus.Publish(ctx, contract.TopicTriggered(alert.Owner), event)
		switch {
		case err == nil:
			o.worker.Metrics.alerts.Inc()
			return nil
		case errors.Is(err, cloud.ErrInvalid): // it never can be
			o.worker.Logger.Error("alert dropped", "alert", alert.ID, "error", err)
			return nil
		case ctx.Err() != nil:
			return err
		}
		o.worker.Logger.Warn("publish alert", "alert", alert.ID, "error", err)
		pause(ctx, retryWait)
	}
}

// snapshot is what a checkpoint writes.
type snapshot struct {
	publishing      *errgroup.Group // the alerts that its states include
	states, windows []record
	position, need  uint64
	published       time.Time // of the quote at position
}

// snapshot takes the state of things, and sends on their way what alerts of it
// are not yet. What is fired from then on belongs to the next one.
func (o *owner) snapshot(ctx context.Context) (snapshot, error) {
	if o.behind { // what was written holds still
		return snapshot{publishing: &errgroup.Group{}, position: o.held.Position, published: o.held.Published, need: o.held.Need}, nil
	}
	s := snapshot{position: o.position, published: o.published}
	o.mu.Lock()
	late := o.late
	o.late = nil
	for k := range o.engine.States() {
		s.states = append(s.states, record{stateKey(o.number, k.Symbol, k.Name), k.Value})
	}
	for k := range o.engine.Windows(o.position - min(o.position, quiet)) {
		s.windows = append(s.windows, record{windowKey(o.number, k.Symbol), k.Value})
	}
	s.need = o.engine.Need(o.position + 1)
	o.mu.Unlock()
	if err := o.publish(ctx, late); err != nil {
		return snapshot{}, err
	}
	s.publishing, o.publishing = o.publishing, &errgroup.Group{}
	return s, nil
}

// checkpoint writes all that a next owner needs to go on from a snapshot:
// first what was fired, then what the rules have seen, then the quiet windows,
// and then the position. The package's comment says why it is in this order.
func (o *owner) checkpoint(ctx context.Context, s snapshot) error {
	if err := s.publishing.Wait(); err != nil {
		return err
	}
	if err := o.write(ctx, s.states); err != nil {
		return err
	}
	if err := o.write(ctx, s.windows); err != nil {
		return err
	}
	if o.held.Position == s.position && o.held.Need == s.need && o.held.Owner != "" {
		return nil // nothing to say, not even that it is given back
	}
	o.held.Position, o.held.Published, o.held.Need = s.position, s.published, s.need
	return o.worker.putLease(ctx, o.number, &o.held)
}

// record is one to be written.
type record struct {
	key   string
	value []byte
}

// write writes records over those that were read or written before.
func (o *owner) write(ctx context.Context, records []record) error {
	revisions := make([]uint64, len(records))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writing)
	for i, r := range records {
		group.Go(func() (err error) {
			revisions[i], err = o.worker.States.Put(ctx, r.key, r.value, o.revisions[r.key], 0)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, r := range records {
		o.revisions[r.key] = revisions[i]
	}
	return nil
}

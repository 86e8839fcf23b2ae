// Package runner is what every worker has in common, written once: it receives
// events, hands them to the worker's handler with bounded concurrency and
// memory, keeps their deliveries alive, retries what failed, pauses while a
// dependency is away, dead-letters what cannot be done, and drains when it is
// told to stop.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/drydock/drydock/cloud"
)

// Handler does a worker's work.
type Handler interface {
	// Handle does the work of one event. It returns nil only once the effect
	// is durable; the event is acknowledged then. It has to be idempotent: the
	// same event may come again after a crash. When the context ends it stops
	// soon, and the event goes to another instance. An error is tried again,
	// unless Permanent, Drop, RetryAfter or Unavailable say otherwise. What is
	// published with the context continues the event's trace.
	Handle(ctx context.Context, event cloud.Event) error
	// GiveUp is told of an event that will not be tried again, before it is
	// dead-lettered, so that whoever waits for it can be told. It has to be
	// idempotent too. Its own error puts the event back.
	GiveUp(ctx context.Context, event cloud.Event, reason error) error
}

// Options configure a runner. Bus, Name, Topic and Handler must be given.
type Options struct {
	Bus     cloud.Bus
	Name    string // of the durable consumer
	Topic   string
	Handler Handler

	// Subscribed is called once events can come; nil tells nobody.
	Subscribed func()

	// Dependencies are checked after an attempt failed, too. While one is away
	// nothing is begun, so that its outage does not use up the attempts of
	// everything that waits.
	Dependencies []Dependency

	// Concurrency is how many events are handled at once; 1 when zero.
	Concurrency int
	// Prefetch is how many events more may wait here for their turn, which
	// other instances then do not get. A worker that is killed costs each of
	// them an attempt. The bus bounds their bytes.
	Prefetch int
	// MaxInFlight is how many events may be unanswered at once over all
	// instances, those that wait to be tried again included. Zero leaves it to
	// the bus.
	MaxInFlight int
	// Key groups events: those of one key are handled one after another, as
	// they were delivered, and a retry of one holds up the others. Events of
	// the empty key are in no group. Nil groups nothing. It holds for the
	// events of one runner; other instances have others.
	Key func(cloud.Event) string

	// AckWait is how long an event stays with a runner that gives no sign of
	// life; 10 seconds when zero.
	AckWait time.Duration
	// Attempts is how often an event is delivered before it is given up; 10
	// when zero. Deliveries to a worker that was killed count.
	Attempts int
	// Backoff is the pause after the first failed attempt; it doubles with
	// each further one up to BackoffMax, and a random part of up to its half is
	// left out. 500 ms and 30 seconds when zero.
	Backoff, BackoffMax time.Duration
	// Drain is how long work may go on after the context of Run has ended;
	// 20 seconds when zero. What is not done by then is handed back.
	Drain time.Duration

	// Records, a collection of the worker's own, remember the events that were
	// handled, so that one which comes again is acknowledged only, and the first
	// error of those that failed. Without them only the errors are remembered,
	// by this process. Remember is for how long; a day when zero.
	Records  cloud.Records
	Remember time.Duration

	Logger  *slog.Logger // slog.Default() when nil
	Metrics *Metrics     // nil tells nobody
}

func (o Options) withDefaults() Options {
	defaults := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	defaults(&o.AckWait, 10*time.Second)
	defaults(&o.Backoff, 500*time.Millisecond)
	defaults(&o.BackoffMax, 30*time.Second)
	defaults(&o.Drain, 20*time.Second)
	defaults(&o.Remember, 24*time.Hour)
	if o.Concurrency == 0 {
		o.Concurrency = 1
	}
	if o.Attempts == 0 {
		o.Attempts = 10
	}
	if o.Key == nil {
		o.Key = func(cloud.Event) string { return "" }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Metrics == nil {
		o.Metrics = newMetrics()
	}
	return o
}

// Reasons of dead letters.
const (
	ReasonPermanent  = "permanent"
	ReasonUsedUp     = "attempts used up"
	ReasonNeverEnded = "never came to an end" // its workers were killed
)

const (
	// answerWait bounds what is done to give an event up, and the records' answers.
	answerWait = 5 * time.Second
	// receivePause is the pause after the bus failed to deliver.
	receivePause = 250 * time.Millisecond
)

// Run handles events until the context ends, then drains, and returns nil. It
// returns an error when it cannot subscribe.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	hold := o.Concurrency + o.Prefetch
	consumer, err := o.Bus.Subscribe(ctx, cloud.Subscription{
		Name: o.Name, Topic: o.Topic, AckWait: o.AckWait, MaxInFlight: o.MaxInFlight, Prefetch: hold,
	})
	if err != nil && ctx.Err() != nil {
		return nil // told to stop before anything was begun
	}
	if err != nil {
		return fmt.Errorf("run worker %s: %w", o.Name, err)
	}
	if o.Subscribed != nil {
		o.Subscribed()
	}

	// Work outlives ctx by the time to drain.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(o.Drain, stop) })()

	r := newRunner(ctx, work, o, consumer, hold)
	keeping, end := context.WithCancel(context.WithoutCancel(ctx))
	var keeper sync.WaitGroup
	keeper.Go(func() { r.keeper.run(keeping, o.AckWait/3) })
	for range o.Concurrency {
		r.group.Go(func() {
			for t := range r.ready {
				r.process(t)
			}
		})
	}
	r.receive()
	err = consumer.Close() // before anything is handed back, which would come to us again
	r.drain()
	close(r.ready)
	r.group.Wait()
	end()
	keeper.Wait()
	if err := errors.Join(err, consumer.Close()); err != nil { // the answers since
		return fmt.Errorf("run worker %s: %w", o.Name, err)
	}
	return nil
}

type runner struct {
	Options
	ctx      context.Context // ends when no more is to be begun
	work     context.Context // ends with the time to drain
	always   context.Context // answers are owed even then
	consumer cloud.Consumer
	hold     int // most deliveries at once

	ready   chan *task // may be worked on
	group   sync.WaitGroup
	keeper  *keeper
	lanes   lanes
	gate    *gate
	history *history
	meter   *meter
}

func newRunner(ctx, work context.Context, o Options, consumer cloud.Consumer, hold int) *runner {
	r := &runner{
		Options:  o,
		ctx:      ctx,
		work:     work,
		always:   context.WithoutCancel(ctx),
		consumer: consumer,
		hold:     hold,
		ready:    make(chan *task, hold),
		lanes:    lanes{waiting: map[string][]*task{}},
		history:  newHistory(o),
		meter:    o.Metrics.of(o.Name),
	}
	r.keeper = newKeeper(hold-max(1, (o.Prefetch+1)/2), r.Logger)
	dependencies := o.Dependencies
	if o.Records != nil {
		dependencies = append([]Dependency{{Name: recordsDependency, Check: o.Records.Ready}}, dependencies...)
	}
	r.gate = newGate(dependencies, r)
	return r
}

// task is one delivery from its receipt to its answer.
type task struct {
	cloud.Delivery
	event   cloud.Event
	key     string
	taken   time.Time
	attempt int  // from 1
	outages int  // that it met
	past    past // what is known of earlier attempts

	reason string // of giving it up, and
	cause  error  // why; nil until it is given up

	mu       sync.Mutex
	answered bool // guarded by mu
	place    int  // in keeper.held; guarded by keeper.mu
}

// receive takes deliveries until the context ends.
func (r *runner) receive() {
	for r.ctx.Err() == nil {
		if r.keeper.count() >= r.hold {
			select {
			case <-r.keeper.sank:
			case <-r.ctx.Done():
			}
			continue
		}
		delivery, err := r.consumer.Next(r.ctx)
		if err != nil {
			if r.ctx.Err() == nil {
				r.Logger.Error("receive", "consumer", r.Name, "error", err)
				wait(r.ctx, receivePause)
			}
			continue
		}
		event := delivery.Event()
		t := &task{Delivery: delivery, event: event, key: r.Key(event), taken: time.Now(), attempt: delivery.Attempt()}
		r.keeper.add(t)
		r.meter.took(t)
		if r.lanes.enter(t) {
			r.ready <- t // has room for all that is held
		}
	}
}

// drain hands back what waits, while the workers end what they do, and returns
// when nothing is held any more.
func (r *runner) drain() {
	for r.keeper.count() > 0 {
		select {
		case t := <-r.ready:
			r.handBack(t)
		case <-r.keeper.sank:
		}
	}
}

// process takes a task to its answer, over the outages of dependencies.
func (r *runner) process(t *task) {
	for r.gate.wait(r.ctx) {
		if t.cause != nil { // it could not be given up yet
			r.giveUp(t, t.reason, t.cause)
			return
		}
		if err := r.attempt(t); !r.outage(t, err) {
			r.settle(t, err)
			return
		}
	}
	r.handBack(t)
}

// attempt handles the event once, unless it is done or past its attempts.
func (r *runner) attempt(t *task) error {
	if err := r.history.recall(r.work, t); err != nil {
		return Unavailable(recordsDependency, err)
	}
	if t.past.Done {
		return errDuplicate
	}
	if t.attempt > r.Attempts { // the earlier ones ended without an answer: the worker was killed
		return fmt.Errorf("no attempt of %d came to an end", r.Attempts)
	}
	err := guard(func() error { return r.Handler.Handle(cloud.WithTrace(r.work, t.event.TraceParent), t.event) })
	if err == nil {
		if err := r.history.done(r.always, t); err != nil {
			r.log(t).Warn("remember", "error", err) // it is done all the same, and idempotent
		}
	}
	return err
}

// guard makes a panic an error with its stack.
func guard(do func() error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("panic: %v\n%s", thrown, debug.Stack())
		}
	}()
	return do()
}

// outage tells whether a dependency is to blame, and closes the gate then.
func (r *runner) outage(t *task, err error) bool {
	var away *unavailable
	var later *retryAfter
	switch {
	case err == nil || errors.Is(err, ErrPermanent) || errors.Is(err, errDrop) || errors.Is(err, errDuplicate):
		return false
	case t.attempt > r.Attempts || t.outages >= r.Attempts || r.work.Err() != nil:
		return false
	case errors.As(err, &later):
		return false
	case errors.As(err, &away):
		r.gate.trip(away.dependency, away.error)
	case !r.gate.check(r.ctx):
		return false
	}
	t.outages++
	return true
}

// settle answers the delivery, or sees to it that it is tried again.
func (r *runner) settle(t *task, err error) {
	switch {
	case err == nil:
		r.gate.passed()
		r.acknowledge(t, outcomeDone)
	case errors.Is(err, errDuplicate):
		r.acknowledge(t, outcomeDuplicate)
	case r.work.Err() != nil:
		r.handBack(t)
	case errors.Is(err, errDrop):
		r.log(t).Warn("dropped", "error", err)
		r.acknowledge(t, outcomeDropped)
	case errors.Is(err, ErrPermanent):
		r.giveUp(t, ReasonPermanent, err)
	case t.attempt > r.Attempts:
		r.giveUp(t, ReasonNeverEnded, err)
	case t.attempt == r.Attempts:
		r.giveUp(t, ReasonUsedUp, err)
	default:
		r.retry(t, err)
	}
}

func (r *runner) acknowledge(t *task, outcome string) {
	t.leaveAlone()
	r.finish(t, outcome, t.Ack(r.always))
}

func (r *runner) handBack(t *task) {
	t.leaveAlone()
	r.finish(t, outcomeHandedBack, t.Retry(r.always, 0))
}

// retry has the event delivered again after a pause, to anyone; one of a group
// stays, as the others of the group wait for it.
func (r *runner) retry(t *task, err error) {
	pause := r.pause(t.attempt)
	var later *retryAfter
	if errors.As(err, &later) {
		pause = later.after
	}
	r.log(t).Warn("failed", "error", err, "again_in", pause)
	if err := r.history.fail(r.always, t, err); err != nil {
		r.log(t).Warn("remember", "error", err)
	}
	if t.key != "" {
		t.attempt++
		r.meter.tried(t, outcomeRetried)
		r.park(t, pause)
		return
	}
	t.leaveAlone()
	r.finish(t, outcomeRetried, t.Retry(r.always, pause))
}

// giveUp makes a dead letter. Until there is one the event stays here.
func (r *runner) giveUp(t *task, reason string, cause error) {
	r.log(t).Error("given up", "reason", reason, "error", cause)
	t.reason, t.cause = reason, cause
	answer, cancel := context.WithTimeout(cloud.WithTrace(r.always, t.event.TraceParent), answerWait)
	defer cancel()
	err := guard(func() error { return r.Handler.GiveUp(answer, t.event, cause) })
	if err == nil {
		err = t.DeadLetter(answer, t.past.failure(reason, cause, t))
	}
	if err != nil {
		r.log(t).Error("dead-letter", "error", err)
		r.gate.check(r.ctx)
		r.park(t, r.pause(r.Attempts))
		return
	}
	t.leaveAlone()
	r.history.forget(r.always, t)
	r.finish(t, outcomeDeadLettered, nil)
}

// park keeps a task for a while and has it worked on then.
func (r *runner) park(t *task, pause time.Duration) {
	r.group.Go(func() {
		if wait(r.ctx, pause) {
			r.ready <- t
		} else {
			r.handBack(t)
		}
	})
}

// finish makes room for another delivery, and lets the next of the group go on.
func (r *runner) finish(t *task, outcome string, err error) {
	if err != nil {
		r.log(t).Error("answer", "outcome", outcome, "error", err) // it comes again after AckWait, and is idempotent
	}
	r.meter.tried(t, outcome)
	r.meter.left()
	next := r.lanes.leave(t)
	r.keeper.remove(t)
	if next != nil {
		r.ready <- next
	}
}

// pause doubles with each attempt; a random part of up to its half is left
// out, so that what failed together does not come together again.
func (r *runner) pause(attempt int) time.Duration {
	pause := r.BackoffMax
	if shift := attempt - 1; shift < 32 && r.Backoff<<shift < pause {
		pause = r.Backoff << shift
	}
	return pause - rand.N(pause/2+1)
}

func (r *runner) log(t *task) *slog.Logger {
	return r.Logger.With("consumer", r.Name, "event", t.event.ID, "trace", t.event.Trace().ID(), "attempt", t.attempt)
}

// wait returns false when the context ends before the time is over.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

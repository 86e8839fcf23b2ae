// Package runner is what every worker has in common, written once: it receives
// events, hands them to the worker's handler with bounded concurrency, keeps
// their deliveries alive while the work goes on, retries what failed,
// dead-letters what cannot be done, and drains when it is told to stop.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// one marked by Permanent is not.
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

	// Ready is asked after an attempt failed. While it returns an error,
	// nothing more is taken, so that an outage of the worker's dependencies
	// does not use up the attempts of everything that waits. Nil is always ready.
	Ready func(context.Context) error

	// Concurrency is how many events are handled at once; 1 when zero.
	Concurrency int
	// AckWait is how long an event stays with a runner that gives no sign of
	// life; 10 seconds when zero.
	AckWait time.Duration
	// Attempts is how often an event is delivered before it is given up; 10
	// when zero. Deliveries to a worker that was killed count.
	Attempts int
	// Backoff is the pause after the first failed attempt; it doubles with
	// each further one up to BackoffMax. 500 ms and 30 seconds when zero.
	Backoff, BackoffMax time.Duration
	// Drain is how long work may go on after the context of Run has ended;
	// 20 seconds when zero. What is not done by then is handed back.
	Drain time.Duration

	Logger  *slog.Logger // slog.Default() when nil
	Metrics *Metrics     // nil counts nothing
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
	if o.Concurrency == 0 {
		o.Concurrency = 1
	}
	if o.Attempts == 0 {
		o.Attempts = 10
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Ready == nil {
		o.Ready = func(context.Context) error { return nil }
	}
	return o
}

// ErrPermanent marks an error that trying again cannot mend: the event is
// given up at once. Handlers wrap it beside the cause, as Permanent does.
var ErrPermanent = errors.New("cannot be mended by trying again")

// Permanent marks an error with ErrPermanent.
func Permanent(err error) error { return fmt.Errorf("%w: %w", ErrPermanent, err) }

const (
	// answerWait bounds the bus's taking note of an answer; without it the event comes again.
	answerWait = 5 * time.Second
	// readyWait bounds the dependencies' answer to Ready; without it they are asked again.
	readyWait = 5 * time.Second
)

// Run handles events until the context ends, then drains, and returns nil. It
// returns an error when it cannot subscribe.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	consumer, err := o.Bus.Subscribe(ctx, cloud.Subscription{Name: o.Name, Topic: o.Topic, AckWait: o.AckWait})
	if err != nil {
		return fmt.Errorf("run worker %s: %w", o.Name, err)
	}

	// Work outlives ctx by the time to drain.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(o.Drain, stop) })()

	r := &runner{Options: o, consumer: consumer}
	var group sync.WaitGroup
	for range o.Concurrency {
		group.Go(func() { r.loop(ctx, work) })
	}
	group.Wait()
	if err := consumer.Close(); err != nil {
		return fmt.Errorf("run worker %s: %w", o.Name, err)
	}
	return nil
}

type runner struct {
	Options
	consumer cloud.Consumer
}

// loop takes one event after another until ctx ends; work is the context of the work itself.
func (r *runner) loop(ctx, work context.Context) {
	for ctx.Err() == nil {
		delivery, err := r.consumer.Next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				r.Logger.Error("receive", "consumer", r.Name, "error", err)
			}
			continue
		}
		if !r.process(work, delivery) {
			r.awaitReady(ctx)
		}
	}
}

// awaitReady returns when the worker's dependencies answer again, or ctx ends.
func (r *runner) awaitReady(ctx context.Context) {
	for pause := r.Backoff; ; pause = min(2*pause, r.BackoffMax) {
		asking, cancel := context.WithTimeout(ctx, readyWait)
		err := r.Ready(asking)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		r.Logger.Warn("paused", "consumer", r.Name, "for", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// process handles one delivery and answers it. It returns false when the
// attempt failed in a way that may pass.
func (r *runner) process(work context.Context, delivery cloud.Delivery) bool {
	started := time.Now()
	event := delivery.Event()
	log := r.Logger.With("consumer", r.Name, "event", event.ID, "attempt", delivery.Attempt())

	release := r.keepAlive(work, delivery, log)
	defer release()

	var err error
	if delivery.Attempt() > r.Attempts { // the earlier ones ended without an answer: the worker was killed
		err = fmt.Errorf("no attempt of %d came to an end", r.Attempts)
	} else {
		err = r.handle(work, event)
	}

	// The answer is owed also when the time to drain is over.
	answer, cancel := context.WithTimeout(context.WithoutCancel(work), answerWait)
	defer cancel()
	switch {
	case err == nil:
		err = delivery.Ack(answer)
		r.Metrics.observe(r.Name, outcomeDone, started)
		log.Debug("done", "took", time.Since(started))
	case work.Err() != nil:
		err = delivery.Retry(answer, 0)
		r.Metrics.observe(r.Name, outcomeHandedBack, started)
		log.Info("handed back")
	case errors.Is(err, ErrPermanent) || delivery.Attempt() >= r.Attempts:
		return r.giveUp(answer, delivery, err, started, log)
	default:
		pause := r.pause(delivery.Attempt())
		log.Warn("failed", "error", err, "again_in", pause)
		r.Metrics.observe(r.Name, outcomeRetried, started)
		if err := delivery.Retry(answer, pause); err != nil {
			log.Error("answer", "error", err)
		}
		return false
	}
	if err != nil {
		log.Error("answer", "error", err) // it comes again after AckWait, and is idempotent
	}
	return true
}

func (r *runner) giveUp(answer context.Context, delivery cloud.Delivery, reason error, started time.Time, log *slog.Logger) bool {
	log.Error("given up", "error", reason)
	err := r.Handler.GiveUp(answer, delivery.Event(), reason)
	if err == nil {
		err = delivery.DeadLetter(answer, cloud.Failure{Reason: "permanent", First: reason.Error(), Last: reason.Error()})
	}
	if err != nil {
		log.Error("dead-letter", "error", err)
		if err := delivery.Retry(answer, r.BackoffMax); err != nil {
			log.Error("answer", "error", err)
		}
		return false
	}
	r.Metrics.observe(r.Name, outcomeDeadLettered, started)
	return true
}

// handle calls the handler; a panic is an error with its stack.
func (r *runner) handle(ctx context.Context, event cloud.Event) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("panic: %v\n%s", thrown, debug.Stack())
		}
	}()
	return r.Handler.Handle(ctx, event)
}

// keepAlive extends the delivery until it is released.
func (r *runner) keepAlive(work context.Context, delivery cloud.Delivery, log *slog.Logger) (release func()) {
	ctx, cancel := context.WithCancel(work)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(r.AckWait / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				if err := delivery.Extend(ctx); err != nil && ctx.Err() == nil {
					log.Warn("extend", "error", err)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// pause doubles with each attempt.
func (r *runner) pause(attempt int) time.Duration {
	pause := r.Backoff
	for range attempt - 1 {
		if pause *= 2; pause >= r.BackoffMax {
			return r.BackoffMax
		}
	}
	return pause
}

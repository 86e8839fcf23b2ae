package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	server "github.com/drydock/drydock/emulator/nats"
	"github.com/drydock/drydock/workers/runner"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

// functions is a Handler made of two functions.
type functions struct {
	handle func(ctx context.Context, event cloud.Event) error
	giveUp func(ctx context.Context, event cloud.Event, reason error) error
}

func (f functions) Handle(ctx context.Context, event cloud.Event) error { return f.handle(ctx, event) }
func (f functions) GiveUp(ctx context.Context, event cloud.Event, reason error) error {
	if f.giveUp == nil {
		return nil
	}
	return f.giveUp(ctx, event, reason)
}

type bench struct {
	t   *testing.T
	ctx context.Context
	url string
	bus *nats.Bus
}

func setUp(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	t.Cleanup(cancel)
	s, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })
	return &bench{t: t, ctx: ctx, url: s.URL(), bus: bus}
}

func (b *bench) publish(ids ...string) {
	b.t.Helper()
	for _, id := range ids {
		require.NoError(b.t, b.bus.Publish(b.ctx, "tests.one", cloud.Event{ID: id, Source: "/t", Type: "t", Data: []byte(id)}))
	}
}

// run starts a runner and returns what stops it and waits for its end.
func (b *bench) run(o runner.Options) (stop func()) {
	b.t.Helper()
	o.Name, o.Topic = "worker", "tests.>"
	if o.Bus == nil {
		o.Bus = b.bus
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Backoff == 0 {
		o.Backoff = time.Millisecond
	}
	ctx, cancel := context.WithCancel(b.ctx)
	ended := make(chan error, 1)
	go func() { ended <- runner.Run(ctx, o) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			assert.NoError(b.t, <-ended)
		})
	}
	b.t.Cleanup(stop)
	return stop
}

// letter returns the next dead letter.
func (b *bench) letter() cloud.Event {
	b.t.Helper()
	consumer, err := b.bus.Subscribe(b.ctx, cloud.Subscription{Name: "letters", Topic: "deadletters.>", AckWait: time.Minute})
	require.NoError(b.t, err)
	defer consumer.Close()
	delivery, err := consumer.Next(b.ctx)
	require.NoError(b.t, err)
	require.NoError(b.t, delivery.Ack(b.ctx))
	return delivery.Event()
}

// leftOver returns the next event that the worker's consumer would still deliver.
func (b *bench) leftOver(within time.Duration) (cloud.Delivery, error) {
	b.t.Helper()
	consumer, err := b.bus.Subscribe(b.ctx, cloud.Subscription{Name: "worker", Topic: "tests.>", AckWait: forever})
	require.NoError(b.t, err)
	defer consumer.Close()
	ctx, cancel := context.WithTimeout(b.ctx, within)
	defer cancel()
	return consumer.Next(ctx)
}

func TestEveryEventIsHandledOnce(t *testing.T) {
	b := setUp(t)
	const events, concurrency = 60, 4
	var mu sync.Mutex
	seen := map[string]int{}
	var running, most atomic.Int32
	all := make(chan struct{})
	registry := prometheus.NewPedanticRegistry()
	metrics := runner.NewMetrics(registry)
	stop := b.run(runner.Options{Concurrency: concurrency, Metrics: metrics, Handler: functions{handle: func(_ context.Context, event cloud.Event) error {
		now := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		mu.Lock()
		defer mu.Unlock()
		if seen[event.ID]++; len(seen) == events {
			close(all)
		}
		return nil
	}}})
	for i := range events {
		b.publish(fmt.Sprint(i))
	}
	<-all
	stop()
	for id, times := range seen {
		assert.Equal(t, 1, times, "event %s", id)
	}
	assert.LessOrEqual(t, most.Load(), int32(concurrency))
	_, err := b.leftOver(300 * time.Millisecond)
	require.ErrorIs(t, err, context.DeadlineExceeded, "all were acknowledged")
	families, err := registry.Gather()
	require.NoError(t, err)
	counts := map[string]uint64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			counts[family.GetName()] += metric.GetHistogram().GetSampleCount()
			assert.Zero(t, metric.GetGauge().GetValue(), "nothing is in flight, nothing is paused")
		}
	}
	assert.Equal(t, map[string]uint64{
		"drydock_delivery_seconds": events, "drydock_event_attempts": events, "drydock_event_age_seconds": events,
		"drydock_deliveries_in_flight": 0,
	}, counts)
}

func TestAWorkerThatIsStoppedBeforeItBeganEndsWell(t *testing.T) {
	b := setUp(t)
	stopped, cancel := context.WithCancel(b.ctx)
	cancel()
	options := runner.Options{Bus: b.bus, Name: "worker", Topic: "tests.>", Handler: functions{}}
	assert.NoError(t, runner.Run(stopped, options))
	options.Name = "NO NAME"
	assert.ErrorIs(t, runner.Run(b.ctx, options), cloud.ErrInvalid)
}

func TestAFailureIsTriedAgain(t *testing.T) {
	b := setUp(t)
	attempts := make(chan struct{}, 10)
	b.publish("1")
	b.run(runner.Options{Handler: functions{handle: func(context.Context, cloud.Event) error {
		attempts <- struct{}{}
		if len(attempts) < 3 {
			return errors.New("not yet")
		}
		return nil
	}}})
	require.Eventually(t, func() bool { return len(attempts) == 3 }, patience, time.Millisecond)
}

func TestWhatCannotBeDoneBecomesADeadLetterWhole(t *testing.T) {
	for name, handle := range map[string]func(context.Context, cloud.Event) error{
		"permanent":        func(context.Context, cloud.Event) error { return runner.Permanent(errors.New("never works")) },
		"attempts used up": func(context.Context, cloud.Event) error { return errors.New("never works") },
		"panic":            func(context.Context, cloud.Event) error { panic("never works") },
		"wrapped permanent": func(context.Context, cloud.Event) error {
			return fmt.Errorf("x: %w", runner.Permanent(errors.New("never works")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			told := make(chan error, 10)
			b.publish("1")
			b.run(runner.Options{Attempts: 3, Handler: functions{handle: handle, giveUp: func(_ context.Context, event cloud.Event, reason error) error {
				assert.Equal(t, "1", event.ID)
				told <- reason
				return nil
			}}})
			letter := b.letter()
			assert.Equal(t, "1", letter.ID)
			assert.Equal(t, "1", string(letter.Data))
			assert.ErrorContains(t, <-told, "never works")
			assert.Empty(t, told)
		})
	}
}

func TestWhatFollowsFromAnEventContinuesItsTrace(t *testing.T) {
	b := setUp(t)
	const cause = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	publish := func(ctx context.Context, id string) error {
		return b.bus.Publish(ctx, "effects.one", cloud.Event{ID: id, Source: "/t", Type: "t"})
	}
	require.NoError(t, b.bus.Publish(b.ctx, "tests.one", cloud.Event{ID: "1", Source: "/t", Type: "t", TraceParent: cause}))
	var logged bytes.Buffer
	stop := b.run(runner.Options{
		Logger: slog.New(slog.NewTextHandler(&logged, nil)),
		Handler: functions{
			handle: func(ctx context.Context, event cloud.Event) error {
				return errors.Join(runner.Permanent(errors.New("never works")), publish(ctx, "of the attempt"))
			},
			giveUp: func(ctx context.Context, event cloud.Event, _ error) error { return publish(ctx, "of giving up") },
		},
	})
	assert.Equal(t, cause, b.letter().TraceParent)
	stop()
	assert.Contains(t, logged.String(), "trace=0af7651916cd43dd8448eb211c80319c")
	spans := map[string]bool{cause: true}
	for entry, err := range b.bus.Read(b.ctx, "effects.one", cloud.Start{}) {
		require.NoError(t, err)
		assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", entry.Event.Trace().ID(), entry.Event.ID)
		if spans[entry.Event.TraceParent] = true; entry.Event.ID == "of giving up" {
			break
		}
	}
	assert.Len(t, spans, 3, "each is a span of its own")
}

func TestNothingIsDeadLetteredWhileNobodyCouldBeTold(t *testing.T) {
	b := setUp(t)
	var tries atomic.Int32
	b.publish("1")
	b.run(runner.Options{BackoffMax: time.Millisecond, Handler: functions{
		handle: func(context.Context, cloud.Event) error { return runner.Permanent(errors.New("never works")) },
		giveUp: func(context.Context, cloud.Event, error) error {
			if tries.Add(1) < 3 {
				return errors.New("records are away")
			}
			return nil
		},
	}})
	assert.Equal(t, "1", b.letter().ID)
	assert.EqualValues(t, 3, tries.Load())
}

func TestAWorkerThatIsKilledAgainAndAgainIsNotFedForever(t *testing.T) {
	b := setUp(t)
	b.publish("1")
	for range 3 { // three workers that took the event and were killed
		delivery, err := b.leftOver(patience)
		require.NoError(t, err)
		require.NoError(t, delivery.Retry(b.ctx, 0))
	}
	b.run(runner.Options{Attempts: 3, Handler: functions{handle: func(context.Context, cloud.Event) error {
		t.Error("it was handed out a fourth time")
		return nil
	}}})
	assert.Equal(t, "1", b.letter().ID)
}

const (
	ackWait  = 6 * time.Second // a third of it is left to a busy machine
	longWork = ackWait * 3 / 2
)

func TestLongWorkIsNotHandedToAnother(t *testing.T) {
	b := setUp(t)
	var started atomic.Int32
	done := make(chan struct{})
	b.publish("1")
	b.run(runner.Options{Concurrency: 2, AckWait: ackWait, Handler: functions{handle: func(ctx context.Context, _ cloud.Event) error {
		started.Add(1)
		select {
		case <-time.After(longWork):
		case <-ctx.Done():
		}
		close(done)
		return nil
	}}})
	<-done
	assert.EqualValues(t, 1, started.Load())
}

func TestAGracefulStopFinishesWhatItHolds(t *testing.T) {
	b := setUp(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	b.publish("1", "2")
	stop := b.run(runner.Options{Handler: functions{handle: func(ctx context.Context, _ cloud.Event) error {
		close(begun)
		<-finish
		return ctx.Err()
	}}})
	<-begun
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	close(finish)
	<-stopped
	left, err := b.leftOver(patience)
	require.NoError(t, err)
	assert.Equal(t, "2", left.Event().ID, "the first was finished, the second handed back at once")
}

func TestWhatIsNotDoneInTimeIsHandedBackAtOnce(t *testing.T) {
	b := setUp(t)
	begun := make(chan struct{})
	b.publish("1")
	stop := b.run(runner.Options{Drain: 50 * time.Millisecond, Handler: functions{
		handle: func(ctx context.Context, _ cloud.Event) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		},
		giveUp: func(context.Context, cloud.Event, error) error { t.Error("given up"); return nil },
	}})
	<-begun
	stop()
	left, err := b.leftOver(patience)
	require.NoError(t, err)
	assert.Equal(t, 2, left.Attempt())
}

func TestAnOutageDoesNotUseUpTheAttemptsOfWhatWaits(t *testing.T) {
	b := setUp(t)
	var away atomic.Bool
	away.Store(true)
	var failures, asked atomic.Int32
	ids := make([]string, 20)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	b.publish(ids...)
	var done atomic.Int32
	b.run(runner.Options{
		Attempts: 3,
		Dependencies: []runner.Dependency{{Name: "store", Check: func(ctx context.Context) error {
			_, limited := ctx.Deadline()
			assert.True(t, limited, "a dependency that never answers must not stop the worker for good")
			asked.Add(1)
			if away.Load() {
				return errors.New("the store is away")
			}
			return nil
		}}},
		BackoffMax: 10 * time.Millisecond,
		Handler: functions{
			handle: func(context.Context, cloud.Event) error {
				if away.Load() {
					failures.Add(1)
					return errors.New("the store is away")
				}
				done.Add(1)
				return nil
			},
			giveUp: func(context.Context, cloud.Event, error) error { t.Error("given up"); return nil },
		},
	})
	require.Eventually(t, func() bool { return asked.Load() >= 20 }, patience, time.Millisecond)
	assert.EqualValues(t, 1, failures.Load())
	away.Store(false)
	require.Eventually(t, func() bool { return done.Load() == 20 }, patience, time.Millisecond)
}

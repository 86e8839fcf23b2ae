package runner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/workers/runner"
)

// spy is a bus that notes the dead letters and may lose acknowledgements.
type spy struct {
	cloud.Bus
	deaf     atomic.Bool
	failures chan cloud.Failure
}

func (s *spy) Subscribe(ctx context.Context, subscription cloud.Subscription) (cloud.Consumer, error) {
	consumer, err := s.Bus.Subscribe(ctx, subscription)
	return spyConsumer{consumer, s}, err
}

type spyConsumer struct {
	cloud.Consumer
	spy *spy
}

func (c spyConsumer) Next(ctx context.Context) (cloud.Delivery, error) {
	delivery, err := c.Consumer.Next(ctx)
	if err != nil {
		return nil, err
	}
	return spyDelivery{delivery, c.spy}, nil
}

type spyDelivery struct {
	cloud.Delivery
	spy *spy
}

func (d spyDelivery) Ack(ctx context.Context) error {
	if d.spy.deaf.Load() {
		return nil
	}
	return d.Delivery.Ack(ctx)
}

func (d spyDelivery) DeadLetter(ctx context.Context, failure cloud.Failure) error {
	err := d.Delivery.DeadLetter(ctx, failure)
	if err == nil {
		d.spy.failures <- failure
	}
	return err
}

func (b *bench) spy() *spy { return &spy{Bus: b.bus, failures: make(chan cloud.Failure, 100)} }

func (b *bench) records() cloud.Records {
	b.t.Helper()
	records, err := nats.OpenRecords(b.ctx, b.url, "runner-tests")
	require.NoError(b.t, err)
	b.t.Cleanup(func() { records.Close() })
	return records
}

// handled is a handler's diary.
type handled struct {
	mu  sync.Mutex
	ids []string
}

func (h *handled) note(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids = append(h.ids, id)
}

func (h *handled) list() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.ids...)
}

func numbers(count int) []string {
	ids := make([]string, count)
	for i := range ids {
		ids[i] = fmt.Sprintf("%03d", i)
	}
	return ids
}

// value reads a metric, the sum over its labels.
func value(t *testing.T, registry *prometheus.Registry, name string, label string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name && strings.Contains(metric.String(), label) {
				sum += metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

const (
	// patience is how long a test waits for what has to happen, on a busy machine.
	patience = time.Minute
	// forever is an acknowledgement wait that no test gets to the end of.
	forever = 10 * time.Minute
)

// joined is a bus that notes that it was subscribed to.
type joined struct {
	cloud.Bus
	done atomic.Bool
}

func (j *joined) Subscribe(ctx context.Context, subscription cloud.Subscription) (cloud.Consumer, error) {
	consumer, err := j.Bus.Subscribe(ctx, subscription)
	j.done.Store(err == nil)
	return consumer, err
}

func TestItTellsWhenItIsSubscribed(t *testing.T) {
	b := setUp(t)
	bus, told := &joined{Bus: b.bus}, make(chan bool, 1)
	b.run(runner.Options{Bus: bus, Subscribed: func() { told <- bus.done.Load() }, Handler: functions{
		handle: func(context.Context, cloud.Event) error { return nil },
	}})
	select {
	case done := <-told:
		require.True(t, done, "told before it was")
	case <-b.ctx.Done():
		require.Fail(t, "never told")
	}
}

func TestTheHandlerSaysWhenToTryAgain(t *testing.T) {
	b := setUp(t)
	const pause = 700 * time.Millisecond
	times := make(chan time.Time, 10)
	var attempts atomic.Int32
	b.publish("1")
	b.run(runner.Options{Backoff: time.Minute, BackoffMax: time.Minute, Handler: functions{handle: func(context.Context, cloud.Event) error {
		times <- time.Now()
		if attempts.Add(1) == 1 {
			return fmt.Errorf("wrapped: %w", runner.RetryAfter(errors.New("slow down"), pause))
		}
		return nil
	}}})
	first, second := <-times, <-times
	assert.GreaterOrEqual(t, second.Sub(first), pause-50*time.Millisecond)
}

func TestWhatIsDroppedIsNoDeadLetter(t *testing.T) {
	b := setUp(t)
	spy, registry := b.spy(), prometheus.NewRegistry()
	b.publish("1", "2")
	done := make(chan struct{})
	stop := b.run(runner.Options{Bus: spy, Metrics: runner.NewMetrics(registry), Handler: functions{
		handle: func(_ context.Context, event cloud.Event) error {
			if event.ID == "1" {
				return runner.Drop(errors.New("too old"))
			}
			close(done)
			return nil
		},
		giveUp: func(context.Context, cloud.Event, error) error { t.Error("given up"); return nil },
	}})
	<-done
	stop()
	assert.EqualValues(t, 1, value(t, registry, "drydock_delivery_seconds", `"dropped"`))
	assert.Empty(t, spy.failures)
	_, err := b.leftOver(300 * time.Millisecond)
	assert.ErrorIs(t, err, context.DeadlineExceeded, "it was acknowledged")
}

func TestDeadLettersTellWhy(t *testing.T) {
	t.Run("permanent", func(t *testing.T) {
		b := setUp(t)
		spy := b.spy()
		b.publish("1")
		b.run(runner.Options{Bus: spy, Handler: functions{handle: func(context.Context, cloud.Event) error { return runner.Permanent(errors.New("bad")) }}})
		failure := <-spy.failures
		assert.Equal(t, runner.ReasonPermanent, failure.Reason)
		assert.Contains(t, failure.Last, "bad")
		assert.Equal(t, failure.First, failure.Last)
		assert.WithinDuration(t, time.Now(), failure.Began, time.Minute)
	})
	for name, key := range map[string]func(cloud.Event) string{"tried by anyone": nil, "tried in its group": func(cloud.Event) string { return "one" }} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			spy, registry := b.spy(), prometheus.NewRegistry()
			var attempts atomic.Int32
			b.publish("1")
			stop := b.run(runner.Options{Bus: spy, Key: key, Attempts: 3, Metrics: runner.NewMetrics(registry), Handler: functions{handle: func(context.Context, cloud.Event) error {
				return fmt.Errorf("error %d", attempts.Add(1))
			}}})
			failure := <-spy.failures
			stop()
			assert.Equal(t, runner.ReasonUsedUp, failure.Reason)
			assert.Equal(t, "error 1", failure.First)
			assert.Equal(t, "error 3", failure.Last)
			assert.WithinDuration(t, time.Now(), failure.Began, time.Minute)
			assert.EqualValues(t, 2, value(t, registry, "drydock_delivery_seconds", `"retried"`))
			assert.EqualValues(t, 1, value(t, registry, "drydock_delivery_seconds", `"dead_lettered"`))
		})
	}
	t.Run("never came to an end", func(t *testing.T) {
		b := setUp(t)
		spy := b.spy()
		b.publish("1")
		for range 2 {
			delivery, err := b.leftOver(patience)
			require.NoError(t, err)
			require.NoError(t, delivery.Retry(b.ctx, 0))
		}
		b.run(runner.Options{Bus: spy, Attempts: 2, Handler: functions{handle: func(context.Context, cloud.Event) error { return nil }}})
		assert.Equal(t, runner.ReasonNeverEnded, (<-spy.failures).Reason)
	})
}

func TestAPanicLeavesItsStack(t *testing.T) {
	b := setUp(t)
	spy := b.spy()
	var tries atomic.Int32
	b.publish("1")
	b.run(runner.Options{Bus: spy, Attempts: 1, BackoffMax: time.Millisecond, Handler: functions{
		handle: func(context.Context, cloud.Event) error { panic("the handler") },
		giveUp: func(context.Context, cloud.Event, error) error {
			if tries.Add(1) == 1 {
				panic("the second one")
			}
			return nil
		},
	}})
	failure := <-spy.failures
	assert.Contains(t, failure.Last, "panic: the handler")
	assert.Contains(t, failure.Last, "complete_test.go")
}

func TestADependencyThatIsAwayBurnsNoAttempts(t *testing.T) {
	b := setUp(t)
	spy, registry := b.spy(), prometheus.NewRegistry()
	var away atomic.Bool
	away.Store(true)
	var met, checked atomic.Int32
	var diary handled
	b.publish(numbers(10)...)
	b.run(runner.Options{
		Bus: spy, Metrics: runner.NewMetrics(registry), Concurrency: 2, Prefetch: 8, Attempts: 1, BackoffMax: 10 * time.Millisecond,
		Dependencies: []runner.Dependency{{Name: "mail", Check: func(context.Context) error {
			checked.Add(1)
			if away.Load() {
				return errors.New("connection refused")
			}
			return nil
		}}},
		Handler: functions{handle: func(_ context.Context, event cloud.Event) error {
			if away.Load() {
				met.Add(1)
				return fmt.Errorf("send: %w", runner.Unavailable("mail", errors.New("connection refused")))
			}
			diary.note(event.ID)
			return nil
		}},
	})
	require.Eventually(t, func() bool { return checked.Load() > 5 }, patience, time.Millisecond)
	assert.LessOrEqual(t, met.Load(), int32(2), "those that were begun already, and none since")
	assert.EqualValues(t, 1, value(t, registry, "drydock_consumer_paused", `"mail"`))
	away.Store(false)
	require.Eventually(t, func() bool { return len(diary.list()) == 10 }, patience, time.Millisecond)
	assert.ElementsMatch(t, numbers(10), diary.list())
	assert.Empty(t, spy.failures)
	assert.Zero(t, value(t, registry, "drydock_consumer_paused", `"mail"`))
}

func TestAnEventThatAlwaysMeetsAnOutageIsGivenUpInTheEnd(t *testing.T) {
	b := setUp(t)
	spy := b.spy()
	b.publish("1")
	b.run(runner.Options{Bus: spy, Attempts: 3, BackoffMax: time.Millisecond, Handler: functions{handle: func(context.Context, cloud.Event) error {
		return runner.Unavailable("something that nobody can ask", errors.New("it fell over"))
	}}})
	assert.Equal(t, runner.ReasonUsedUp, (<-spy.failures).Reason)
}

func TestWhatWaitsForADependencyIsHandedBackAtTheEnd(t *testing.T) {
	b := setUp(t)
	b.publish("1")
	met := make(chan struct{}, 10)
	stop := b.run(runner.Options{
		Dependencies: []runner.Dependency{{Name: "mail", Check: func(context.Context) error { return errors.New("away") }}},
		Handler: functions{handle: func(context.Context, cloud.Event) error {
			met <- struct{}{}
			return runner.Unavailable("mail", errors.New("away"))
		}},
	})
	<-met
	stop()
	left, err := b.leftOver(patience)
	require.NoError(t, err)
	assert.Equal(t, "1", left.Event().ID)
}

func TestEventsOfOneKeyGoOneAfterAnother(t *testing.T) {
	b := setUp(t)
	ids := []string{"a1", "b1", "a2", "c1", "a3", "b2", "c2", "a4", "b3"}
	b.publish(ids...)
	var diary handled
	var running sync.Map
	var failed atomic.Int32
	others := make(chan struct{})
	b.run(runner.Options{
		Concurrency: 4, Prefetch: 16, AckWait: ackWait,
		Key: func(event cloud.Event) string { return event.ID[:1] },
		Handler: functions{handle: func(ctx context.Context, event cloud.Event) error {
			_, twice := running.LoadOrStore(event.ID[:1], true)
			assert.False(t, twice, "two of %s at once", event.ID[:1])
			defer running.Delete(event.ID[:1])
			if event.ID == "a1" && failed.Add(1) <= 2 { // its retries hold the other a's, and nobody else
				return errors.New("not yet")
			}
			if event.ID == "a1" {
				select {
				case <-others:
				case <-time.After(patience):
					t.Error("the other keys were held up")
				}
			}
			diary.note(event.ID)
			if len(diary.list()) == 5 && event.ID[0] != 'a' {
				close(others)
			}
			return nil
		}},
	})
	require.Eventually(t, func() bool { return len(diary.list()) == len(ids) }, patience, time.Millisecond)
	byKey := map[byte][]string{}
	for _, id := range diary.list() {
		byKey[id[0]] = append(byKey[id[0]], id)
	}
	assert.Equal(t, map[byte][]string{'a': {"a1", "a2", "a3", "a4"}, 'b': {"b1", "b2", "b3"}, 'c': {"c1", "c2"}}, byKey)
}

func TestWhatWaitsHereIsKeptAlive(t *testing.T) {
	b := setUp(t)
	b.publish("1", "2", "3", "4")
	var diary handled
	b.run(runner.Options{
		AckWait: ackWait, Prefetch: 3,
		Key: func(event cloud.Event) string {
			if event.ID < "3" {
				return "waits in line"
			}
			return "" // waits for the only worker
		},
		Handler: functions{handle: func(ctx context.Context, event cloud.Event) error {
			if event.ID == "1" {
				select {
				case <-time.After(longWork):
				case <-ctx.Done():
				}
			}
			diary.note(event.ID)
			return nil
		}},
	})
	require.Eventually(t, func() bool { return len(diary.list()) == 4 }, patience, 10*time.Millisecond)
	_, err := b.leftOver(300 * time.Millisecond)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ElementsMatch(t, []string{"1", "2", "3", "4"}, diary.list(), "each once")
}

func TestNoMoreAreHeldThanAskedFor(t *testing.T) {
	b := setUp(t)
	registry := prometheus.NewRegistry()
	b.publish(numbers(20)...)
	begun := make(chan struct{}, 20)
	stop := b.run(runner.Options{Concurrency: 2, Prefetch: 3, Drain: time.Millisecond, Metrics: runner.NewMetrics(registry), Handler: functions{handle: func(ctx context.Context, _ cloud.Event) error {
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}}})
	held := func() float64 { return value(t, registry, "drydock_deliveries_in_flight", "") }
	require.Eventually(t, func() bool { return len(begun) == 2 && held() == 5 }, patience, time.Millisecond)
	left, err := b.leftOver(patience)
	require.NoError(t, err)
	assert.Equal(t, "005", left.Event().ID, "what is not held goes to another")
	assert.EqualValues(t, 5, held())
	stop()
	assert.Zero(t, held())
}

func TestAnEventThatWasHandledIsNotHandledAgain(t *testing.T) {
	b := setUp(t)
	spy, records, registry := b.spy(), b.records(), prometheus.NewRegistry()
	spy.deaf.Store(true)
	var times atomic.Int32
	b.publish("1")
	b.run(runner.Options{Bus: spy, Records: records, Metrics: runner.NewMetrics(registry), AckWait: time.Second, Handler: functions{handle: func(context.Context, cloud.Event) error {
		times.Add(1)
		return nil
	}}})
	require.Eventually(t, func() bool { return value(t, registry, "drydock_delivery_seconds", `"duplicate"`) > 0 }, patience, 10*time.Millisecond)
	spy.deaf.Store(false)
	assert.EqualValues(t, 1, times.Load())
}

func TestTheFirstErrorIsRememberedOverInstances(t *testing.T) {
	b := setUp(t)
	spy, records := b.spy(), b.records()
	b.publish("1")
	for _, text := range []string{"the first", "the second"} {
		failed := make(chan struct{}, 10)
		stop := b.run(runner.Options{Bus: spy, Records: records, Attempts: 3, Handler: functions{handle: func(context.Context, cloud.Event) error {
			failed <- struct{}{}
			return runner.RetryAfter(errors.New(text), time.Second)
		}}})
		<-failed
		stop()
	}
	b.run(runner.Options{Bus: spy, Records: records, Attempts: 3, Handler: functions{handle: func(context.Context, cloud.Event) error {
		return errors.New("the last")
	}}})
	failure := <-spy.failures
	assert.Equal(t, "the first", failure.First)
	assert.Equal(t, "the last", failure.Last)
	assert.False(t, failure.Began.IsZero())
	require.Eventually(t, func() bool {
		for range records.List(b.ctx, "") {
			return false
		}
		return true
	}, patience, time.Millisecond, "sent again, it begins anew")
}

func TestADrainHandsBackInTime(t *testing.T) {
	b := setUp(t)
	const events = 60
	b.publish(numbers(events)...)
	var diary handled
	begun := make(chan struct{}, events)
	stop := b.run(runner.Options{
		Concurrency: 4, Prefetch: 30, AckWait: forever, Drain: 300 * time.Millisecond,
		Handler: functions{handle: func(ctx context.Context, event cloud.Event) error {
			begun <- struct{}{}
			if event.ID >= "010" { // the others are quick
				<-ctx.Done()
				return ctx.Err()
			}
			diary.note(event.ID)
			return nil
		}},
	})
	require.Eventually(t, func() bool { return len(begun) == 14 }, patience, time.Millisecond)
	before := time.Now()
	stop()
	assert.Less(t, time.Since(before), patience)
	for range events - len(diary.list()) { // all of the others, at once
		left, err := b.leftOver(patience)
		require.NoError(t, err)
		diary.note(left.Event().ID)
		require.NoError(t, left.Ack(b.ctx))
	}
	assert.ElementsMatch(t, numbers(events), diary.list(), "each is done once or handed back once")
}

func TestADrainHandsBackInOrder(t *testing.T) {
	b := setUp(t)
	b.publish(numbers(8)...)
	begun := make(chan struct{}, 10)
	stop := b.run(runner.Options{
		Concurrency: 3, Prefetch: 10, Drain: 200 * time.Millisecond,
		Key: func(cloud.Event) string { return "one" },
		Handler: functions{handle: func(ctx context.Context, _ cloud.Event) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}},
	})
	<-begun
	stop()
	consumer, err := b.bus.Subscribe(b.ctx, cloud.Subscription{Name: "worker", Topic: "tests.>", AckWait: forever})
	require.NoError(t, err)
	defer consumer.Close()
	for _, id := range numbers(8) {
		left, err := consumer.Next(b.ctx)
		require.NoError(t, err)
		assert.Equal(t, id, left.Event().ID)
	}
}

// awaitAnswers waits until the worker's consumer has nothing left, unanswered or to come.
func (b *bench) awaitAnswers() {
	b.t.Helper()
	connection, err := client.Connect(b.url)
	require.NoError(b.t, err)
	defer connection.Close()
	js, err := jetstream.New(connection)
	require.NoError(b.t, err)
	require.Eventually(b.t, func() bool {
		consumer, err := js.Consumer(b.ctx, "tests", "worker")
		if err != nil {
			return false
		}
		info := consumer.CachedInfo()
		return info.NumPending == 0 && info.NumAckPending == 0
	}, patience, 20*time.Millisecond)
}

func TestNothingIsLostOverKills(t *testing.T) {
	b := setUp(t)
	const events, kills = 300, 5
	b.publish(numbers(events)...)
	spy := b.spy()
	var mu sync.Mutex
	done := map[string]int{}
	note := func(id string) int {
		mu.Lock()
		defer mu.Unlock()
		done[id]++
		return len(done)
	}
	options := runner.Options{Concurrency: 4, Prefetch: 20, AckWait: time.Second, Attempts: 20}
	for range kills {
		victim, err := nats.OpenBus(b.ctx, b.url)
		require.NoError(t, err)
		reached := make(chan struct{}, events)
		o := options
		o.Bus = victim
		o.Handler = functions{handle: func(_ context.Context, event cloud.Event) error {
			note(event.ID)
			reached <- struct{}{}
			return nil
		}}
		stop := b.run(o)
		for range 30 {
			<-reached
		}
		require.NoError(t, victim.Close()) // its answers are lost, as those of a killed process
		stop()
	}
	o := options
	o.Bus = spy
	o.Handler = functions{handle: func(_ context.Context, event cloud.Event) error { note(event.ID); return nil }}
	stop := b.run(o)
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(done) == events }, patience, 10*time.Millisecond)
	b.awaitAnswers() // what the victims did and could not say comes again
	stop()
	assert.Empty(t, spy.failures)
	_, err := b.leftOver(1500 * time.Millisecond)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

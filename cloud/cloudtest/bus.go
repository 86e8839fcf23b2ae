package cloudtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
)

// Bus holds a provider against what cloud.Bus promises. Open returns a bus on
// a fresh backend, or on the same one when called again in one subtest.
func Bus(t *testing.T, open func(t *testing.T) func() cloud.Bus) {
	event := func(id string) cloud.Event {
		return cloud.Event{ID: id, Source: "/drydock/cloudtest", Type: "dev.drydock.test", Data: []byte(`{"id":"` + id + `"}`)}
	}
	subscribe := func(t *testing.T, bus cloud.Bus, s cloud.Subscription) cloud.Consumer {
		t.Helper()
		if s.AckWait == 0 {
			s.AckWait = 10 * time.Second
		}
		consumer, err := bus.Subscribe(bounded(t), s)
		require.NoError(t, err)
		t.Cleanup(func() { consumer.Close() })
		return consumer
	}
	next := func(t *testing.T, consumer cloud.Consumer) cloud.Delivery {
		t.Helper()
		delivery, err := consumer.Next(bounded(t))
		require.NoError(t, err)
		return delivery
	}
	nothing := func(t *testing.T, consumer cloud.Consumer, within time.Duration) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		delivery, err := consumer.Next(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded, "unexpected delivery: %+v", delivery)
	}
	test := func(name string, run func(t *testing.T, bus cloud.Bus, again func() cloud.Bus)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again := open(t)
			run(t, again(), again)
		})
	}

	test("an event arrives as it was published", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		sent := cloud.Event{
			ID: "a/b c%\"ü", Source: "/drydock/cloudtest", Type: "dev.drydock.test", Subject: "incoming/demo/ключ 1.jpg",
			Time: time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC), ContentType: "application/octet-stream",
			TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Data: []byte{0, 1, 2, 255},
		}
		require.NoError(t, bus.Publish(bounded(t), "tests.one", sent))
		delivery := next(t, subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.>"}))
		assert.Equal(t, sent, delivery.Event())
		assert.Equal(t, "tests.one", delivery.Topic())
		assert.Equal(t, 1, delivery.Attempt())
		require.NoError(t, delivery.Ack(bounded(t)))
	})

	test("an event without time and type of content gets them", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		require.NoError(t, bus.Publish(bounded(t), "tests.one", event("1")))
		got := next(t, subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.one"})).Event()
		assert.WithinDuration(t, time.Now(), got.Time, time.Minute)
		assert.Equal(t, "application/json", got.ContentType)
	})

	test("an event without a trace begins one", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		malformed := event("3")
		malformed.TraceParent = "00-0af7651916cd43dd8448eb211c80319c"
		for _, sent := range []cloud.Event{event("1"), event("2"), malformed} {
			require.NoError(t, bus.Publish(bounded(t), "tests.one", sent))
		}
		consumer := subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.one"})
		traces := map[string]bool{}
		for range 3 {
			got := next(t, consumer).Event()
			assert.False(t, got.Trace().IsZero(), "traceparent %q", got.TraceParent)
			traces[got.Trace().ID()] = true
		}
		assert.Len(t, traces, 3)
	})

	test("an event continues the trace that it follows from", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		const cause = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		ctx := cloud.WithTrace(bounded(t), cause)
		require.NoError(t, bus.Publish(ctx, "tests.one", event("1")))
		own := event("2")
		own.TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
		require.NoError(t, bus.Publish(ctx, "tests.one", own))
		consumer := subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.one"})
		got := next(t, consumer).Event()
		assert.Equal(t, cloud.ParseTrace(cause).ID(), got.Trace().ID())
		assert.NotEqual(t, cause, got.TraceParent, "it is a span of its own")
		assert.Equal(t, own.TraceParent, next(t, consumer).Event().TraceParent)
	})

	test("the same ID twice is one event", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		for range 3 {
			require.NoError(t, bus.Publish(bounded(t), "tests.one", event("1")))
		}
		consumer := subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.one"})
		require.NoError(t, next(t, consumer).Ack(bounded(t)))
		nothing(t, consumer, 300*time.Millisecond)
	})

	test("a topic selects", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		require.NoError(t, bus.Publish(bounded(t), "tests.one", event("1")))
		require.NoError(t, bus.Publish(bounded(t), "tests.two", event("2")))
		consumer := subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.two"})
		delivery := next(t, consumer)
		assert.Equal(t, "2", delivery.Event().ID)
		require.NoError(t, delivery.Ack(bounded(t)))
		nothing(t, consumer, 300*time.Millisecond)
	})

	test("every name sees every event and shares it among its subscribers", func(t *testing.T, bus cloud.Bus, again func() cloud.Bus) {
		const events = 40
		other := again()
		var mu sync.Mutex
		seen := map[string]map[string]int{"left": {}, "right": {}}
		var group sync.WaitGroup
		ctx, cancel := context.WithCancel(bounded(t))
		defer cancel()
		for name := range seen {
			for _, b := range []cloud.Bus{bus, other} {
				consumer := subscribe(t, b, cloud.Subscription{Name: name, Topic: "tests.>"})
				group.Go(func() {
					for {
						delivery, err := consumer.Next(ctx)
						if err != nil {
							return
						}
						mu.Lock()
						seen[name][delivery.Event().ID]++
						full := len(seen["left"]) == events && len(seen["right"]) == events
						mu.Unlock()
						assert.NoError(t, delivery.Ack(context.Background()))
						if full {
							cancel()
						}
					}
				})
			}
		}
		for i := range events {
			require.NoError(t, bus.Publish(bounded(t), "tests.one", event(fmt.Sprint(i))))
		}
		group.Wait()
		for name, ids := range seen {
			assert.Len(t, ids, events, name)
			for id, times := range ids {
				assert.Equal(t, 1, times, "%s saw event %s", name, id)
			}
		}
	})

	test("an event handed back comes again, counted, after its delay", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		require.NoError(t, bus.Publish(bounded(t), "tests.one", event("1")))
		consumer := subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.one"})
		first := next(t, consumer)
		before := time.Now()
		require.NoError(t, first.Retry(bounded(t), 500*time.Millisecond))
		second := next(t, consumer)
		assert.GreaterOrEqual(t, time.Since(before), 450*time.Millisecond)
		assert.Equal(t, 2, second.Attempt())
		assert.Equal(t, first.Event(), second.Event())
		require.NoError(t, second.Retry(bounded(t), 0))
		third := next(t, consumer)
		assert.Equal(t, 3, third.Attempt())
		require.NoError(t, third.Ack(bounded(t)))
	})

	test("an event left alone comes again, and one extended does not", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		require.NoError(t, bus.Publish(bounded(t), "tests.one", event("1")))
		consumer := subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: 6 * time.Second})
		first := next(t, consumer)
		for range 8 { // 8 seconds of work, in steps well below the wait: the machine may be busy
			require.NoError(t, first.Extend(bounded(t)))
			nothing(t, consumer, time.Second)
		}
		second := next(t, consumer) // no longer extended
		assert.Equal(t, 2, second.Attempt())
		require.NoError(t, second.Ack(bounded(t)))
	})

	test("what a closed subscriber had comes to another", func(t *testing.T, bus cloud.Bus, again func() cloud.Bus) {
		const events = 5
		for i := range events {
			require.NoError(t, bus.Publish(bounded(t), "tests.one", event(fmt.Sprint(i))))
		}
		s := cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: time.Second}
		consumer := subscribe(t, bus, s)
		next(t, consumer) // taken and never answered
		require.NoError(t, consumer.Close())
		require.NoError(t, consumer.Close(), "closing twice")
		_, err := consumer.Next(bounded(t))
		require.Error(t, err)

		heir := subscribe(t, again(), s)
		got := map[string]bool{}
		for len(got) < events { // a busy machine may let the wait run out once more
			delivery := next(t, heir)
			got[delivery.Event().ID] = true
			require.NoError(t, delivery.Ack(bounded(t)))
		}
	})

	test("a durable name goes on where it was", func(t *testing.T, bus cloud.Bus, again func() cloud.Bus) {
		s := cloud.Subscription{Name: "reader", Topic: "tests.one"}
		require.NoError(t, bus.Publish(bounded(t), "tests.one", event("1")))
		consumer := subscribe(t, bus, s)
		require.NoError(t, next(t, consumer).Ack(bounded(t)))
		require.NoError(t, consumer.Close())
		require.NoError(t, bus.Publish(bounded(t), "tests.one", event("2")))
		assert.Equal(t, "2", next(t, subscribe(t, again(), s)).Event().ID)
	})

	test("a dead letter is whole, kept once, and gone from the consumer", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		sent := event("1")
		sent.Subject = "the thing"
		require.NoError(t, bus.Publish(bounded(t), "tests.one", sent))
		s := cloud.Subscription{Name: "reader", Topic: "tests.one"}
		require.NoError(t, next(t, subscribe(t, bus, s)).DeadLetter(bounded(t), cloud.Failure{Reason: "permanent", First: "it can never work", Last: "it can never work"}))
		s.AckWait = time.Second
		nothing(t, subscribe(t, bus, s), 1500*time.Millisecond)
		letters := subscribe(t, bus, cloud.Subscription{Name: "letters", Topic: "deadletters.>"})
		letter := next(t, letters)
		assert.Equal(t, "deadletters.tests.reader.1", letter.Topic())
		assert.Equal(t, sent.ID, letter.Event().ID)
		assert.Equal(t, sent.Data, letter.Event().Data)
		assert.Equal(t, sent.Subject, letter.Event().Subject)
		require.NoError(t, letter.Ack(bounded(t)))
		nothing(t, letters, 300*time.Millisecond)
	})

	test("no more are in flight than asked for", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		for i := range 5 {
			require.NoError(t, bus.Publish(bounded(t), "tests.one", event(fmt.Sprint(i))))
		}
		consumer := subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.one", MaxInFlight: 2})
		first, second := next(t, consumer), next(t, consumer)
		nothing(t, consumer, 300*time.Millisecond)
		require.NoError(t, first.Ack(bounded(t)))
		third := next(t, consumer)
		assert.NotEqual(t, second.Event().ID, third.Event().ID)
	})

	test("no more are prefetched than may be unanswered", func(t *testing.T, bus cloud.Bus, again func() cloud.Bus) {
		const events, prefetch = 12, 4
		for i := range events {
			require.NoError(t, bus.Publish(bounded(t), "tests.one", event(fmt.Sprint(i))))
		}
		s := cloud.Subscription{Name: "reader", Topic: "tests.one", Prefetch: prefetch}
		greedy := subscribe(t, bus, s)
		for range prefetch { // all that it may hold
			next(t, greedy)
		}
		other := subscribe(t, again(), s)
		got := map[string]bool{}
		for range events - prefetch {
			delivery := next(t, other)
			got[delivery.Event().ID] = true
			require.NoError(t, delivery.Ack(bounded(t)))
		}
		assert.Len(t, got, events-prefetch)
	})

	test("more than the prefetch may be unanswered when they are asked for", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		consumer := subscribe(t, bus, cloud.Subscription{Name: "reader", Topic: "tests.one", Prefetch: 2})
		for i := range 7 {
			require.NoError(t, bus.Publish(bounded(t), "tests.one", event(fmt.Sprint(i))))
		}
		for i := range 7 {
			assert.Equal(t, fmt.Sprint(i), next(t, consumer).Event().ID)
		}
	})

	test("what was prefetched comes to another at once when its subscriber closes", func(t *testing.T, bus cloud.Bus, again func() cloud.Bus) {
		const events = 20
		for i := range events {
			require.NoError(t, bus.Publish(bounded(t), "tests.one", event(fmt.Sprint(i))))
		}
		s := cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: 10 * time.Minute, Prefetch: events}
		consumer := subscribe(t, bus, s)
		require.NoError(t, next(t, consumer).Ack(bounded(t)))
		require.NoError(t, consumer.Close())
		heir := subscribe(t, again(), s)
		got := map[string]bool{}
		for range events - 1 { // the acknowledgement arrived
			delivery := next(t, heir)
			got[delivery.Event().ID] = true
			require.NoError(t, delivery.Ack(bounded(t)))
		}
		assert.Len(t, got, events-1)
		assert.NotContains(t, got, "0")
		nothing(t, heir, 300*time.Millisecond)
	})

	test("what was answered is answered once the subscriber is closed", func(t *testing.T, bus cloud.Bus, again func() cloud.Bus) {
		const events = 200
		s := cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: 10 * time.Minute, Prefetch: events}
		consumer := subscribe(t, bus, s)
		for i := range events {
			require.NoError(t, bus.Publish(bounded(t), "tests.one", event(fmt.Sprint(i))))
		}
		for range events {
			require.NoError(t, next(t, consumer).Ack(bounded(t)))
		}
		require.NoError(t, consumer.Close())
		s.AckWait = time.Second
		nothing(t, subscribe(t, again(), s), 1500*time.Millisecond)
	})

	test("bad input is refused", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		for _, topic := range []string{"", "one", "tests.>", "tests.*", "tests..one", "tests one.two"} {
			assert.ErrorIs(t, bus.Publish(bounded(t), topic, event("1")), cloud.ErrInvalid, "topic %q", topic)
		}
		assert.ErrorIs(t, bus.Publish(bounded(t), "tests.one", cloud.Event{Source: "s", Type: "t"}), cloud.ErrInvalid)
		huge := event("1")
		huge.Data = make([]byte, 65<<20)
		assert.ErrorIs(t, bus.Publish(bounded(t), "tests.one", huge), cloud.ErrInvalid)
		for _, s := range []cloud.Subscription{
			{Name: "", Topic: "tests.one", AckWait: time.Second},
			{Name: "a b", Topic: "tests.one", AckWait: time.Second},
			{Name: "a", Topic: "tests one", AckWait: time.Second},
			{Name: "a", Topic: "tests.one", AckWait: time.Millisecond},
		} {
			_, err := bus.Subscribe(bounded(t), s)
			assert.ErrorIs(t, err, cloud.ErrInvalid, "%+v", s)
		}
	})

	test("it is ready until it is closed", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		require.NoError(t, bus.Ready(bounded(t)))
		require.NoError(t, bus.Close())
		require.NoError(t, bus.Close())
		require.Error(t, bus.Ready(bounded(t)))
	})
}

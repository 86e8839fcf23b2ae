package cloudtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
)

// Read holds a provider against what cloud.Bus promises of Read. Open returns
// a bus on a fresh backend, or on the same one when called again in one subtest.
func Read(t *testing.T, open func(t *testing.T) func() cloud.Bus) {
	event := func(id string) cloud.Event {
		return cloud.Event{ID: id, Source: "/drydock/cloudtest", Type: "dev.drydock.test", Data: []byte(`{"id":"` + id + `"}`)}
	}
	publish := func(t *testing.T, bus cloud.Bus, topic string, ids ...string) {
		t.Helper()
		for _, id := range ids {
			require.NoError(t, bus.Publish(bounded(t), topic, event(id)))
		}
	}
	// take reads the next count entries, and leaves.
	take := func(t *testing.T, bus cloud.Bus, topic string, from cloud.Start, count int) []cloud.Entry {
		t.Helper()
		var entries []cloud.Entry
		for entry, err := range bus.Read(bounded(t), topic, from) {
			require.NoError(t, err)
			entries = append(entries, entry)
			if len(entries) == count {
				break
			}
		}
		require.Len(t, entries, count)
		return entries
	}
	ids := func(entries []cloud.Entry) string {
		var all []string
		for _, entry := range entries {
			all = append(all, entry.Event.ID)
		}
		return strings.Join(all, " ")
	}
	test := func(name string, run func(t *testing.T, bus cloud.Bus, again func() cloud.Bus)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again := open(t)
			run(t, again(), again)
		})
	}

	test("an event is read as it was published", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		sent := cloud.Event{
			ID: "a/b c%\"ü", Source: "/drydock/cloudtest", Type: "dev.drydock.test", Subject: "incoming/demo/ключ 1.jpg",
			Time: time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC), ContentType: "application/octet-stream",
			TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Data: []byte{0, 1, 2, 255},
		}
		require.NoError(t, bus.Publish(bounded(t), "tests.one", sent))
		entry := take(t, bus, "tests.one", cloud.Start{}, 1)[0]
		assert.Equal(t, sent, entry.Event)
		assert.Equal(t, "tests.one", entry.Topic)
		assert.EqualValues(t, 1, entry.Position)
		assert.WithinDuration(t, time.Now(), entry.Published, time.Minute)
	})

	test("what is kept comes in its order, then each new event", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		const kept, fresh = 100, 100
		for i := range kept {
			publish(t, bus, "tests.one", fmt.Sprint(i))
		}
		count, last := 0, cloud.Position(0)
		for entry, err := range bus.Read(bounded(t), "tests.>", cloud.Start{}) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(count), entry.Event.ID)
			require.Greater(t, entry.Position, last)
			last = entry.Position
			if count++; count == kept+fresh {
				break
			}
			if count >= kept {
				publish(t, bus, "tests.two", fmt.Sprint(count))
			}
		}
		assert.Equal(t, kept+fresh, count)
	})

	test("a topic or a prefix selects", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		publish(t, bus, "tests.one", "1")
		publish(t, bus, "tests.one.deep", "2")
		publish(t, bus, "tests.two", "3")
		publish(t, bus, "others.one", "4")
		publish(t, bus, "tests.one", "5")
		assert.Equal(t, "1 5", ids(take(t, bus, "tests.one", cloud.Start{}, 2)))
		assert.Equal(t, "2", ids(take(t, bus, "tests.one.>", cloud.Start{}, 1)))
		assert.Equal(t, "1 2 3 5", ids(take(t, bus, "tests.>", cloud.Start{}, 4)))
	})

	test("it begins after a position", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		publish(t, bus, "tests.one", "1", "2", "3", "4")
		all := take(t, bus, "tests.one", cloud.Start{}, 4)
		assert.Equal(t, "3 4", ids(take(t, bus, "tests.one", cloud.Start{After: all[1].Position}, 2)))
		assert.Equal(t, "4", ids(take(t, bus, "tests.one", cloud.Start{After: all[2].Position, Since: all[0].Published}, 1)), "the position counts")
		publish(t, bus, "tests.one", "5")
		assert.Equal(t, "5", ids(take(t, bus, "tests.one", cloud.Start{After: all[3].Position}, 1)))
	})

	test("it begins at a time", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		publish(t, bus, "tests.one", "1", "2", "3")
		all := take(t, bus, "tests.one", cloud.Start{}, 3)
		assert.Equal(t, "2 3", ids(take(t, bus, "tests.one", cloud.Start{Since: all[1].Published}, 2)))
		assert.Equal(t, "3", ids(take(t, bus, "tests.one", cloud.Start{Since: all[1].Published.Add(time.Nanosecond)}, 1)))
		assert.Equal(t, "1 2 3", ids(take(t, bus, "tests.one", cloud.Start{Since: all[0].Published.Add(-time.Hour)}, 3)))

		ctx, cancel := context.WithTimeout(bounded(t), time.Second)
		defer cancel()
		published := make(chan error, 1)
		time.AfterFunc(300*time.Millisecond, func() { published <- bus.Publish(bounded(t), "tests.one", event("4")) })
		for entry := range bus.Read(ctx, "tests.one", cloud.Start{Since: time.Now().Add(time.Hour)}) {
			assert.Fail(t, "an event from before the time", "%+v", entry)
		}
		require.NoError(t, <-published)
	})

	test("a stream may begin after its reader", func(t *testing.T, bus cloud.Bus, again func() cloud.Bus) {
		other := again()
		published := make(chan error, 1)
		ctx := bounded(t)
		time.AfterFunc(300*time.Millisecond, func() { published <- other.Publish(ctx, "tests.one", event("1")) })
		assert.Equal(t, "1", ids(take(t, bus, "tests.>", cloud.Start{}, 1)))
		require.NoError(t, <-published)
	})

	test("any number of readers see everything, and take nothing from consumers", func(t *testing.T, bus cloud.Bus, again func() cloud.Bus) {
		const events, readers = 50, 8
		other := again()
		consumer, err := bus.Subscribe(bounded(t), cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: 10 * time.Second})
		require.NoError(t, err)
		t.Cleanup(func() { consumer.Close() })
		ctx := bounded(t)
		var group sync.WaitGroup
		for i := range readers {
			from := []cloud.Bus{bus, other}[i%2]
			group.Go(func() {
				count := 0
				for entry, err := range from.Read(ctx, "tests.one", cloud.Start{}) {
					assert.NoError(t, err)
					assert.Equal(t, fmt.Sprint(count), entry.Event.ID)
					if count++; count == events {
						break
					}
				}
				assert.Equal(t, events, count)
			})
		}
		for i := range events {
			publish(t, bus, "tests.one", fmt.Sprint(i))
		}
		group.Wait()
		for range events {
			delivery, err := consumer.Next(ctx)
			require.NoError(t, err)
			assert.Equal(t, 1, delivery.Attempt())
			require.NoError(t, delivery.Ack(ctx))
		}
	})

	test("a reader that dawdles misses nothing", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		const events = 200
		publish(t, bus, "tests.one", "0")
		count := 0
		for entry, err := range bus.Read(bounded(t), "tests.one", cloud.Start{}) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(count), entry.Event.ID)
			if count == 0 {
				for i := 1; i < events; i++ {
					publish(t, bus, "tests.one", fmt.Sprint(i))
				}
			}
			if count++; count == events {
				break
			}
		}
		assert.Equal(t, events, count)
	})

	test("it ends with its context, without an error", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		publish(t, bus, "tests.one", "1")
		ctx, cancel := context.WithCancel(bounded(t))
		defer cancel()
		count := 0
		for _, err := range bus.Read(ctx, "tests.one", cloud.Start{}) {
			require.NoError(t, err)
			count++
			cancel()
		}
		assert.Equal(t, 1, count)
		for range bus.Read(ctx, "tests.one", cloud.Start{}) {
			assert.Fail(t, "the context has ended before")
		}
	})

	test("a closed bus ends it with an error", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		publish(t, bus, "tests.one", "1")
		var last error
		for _, err := range bus.Read(bounded(t), "tests.one", cloud.Start{}) {
			if last = err; err == nil {
				require.NoError(t, bus.Close())
			}
		}
		require.Error(t, last)
	})

	test("bad input is refused", func(t *testing.T, bus cloud.Bus, _ func() cloud.Bus) {
		for _, topic := range []string{"", "one", ">", "tests.*", "tests..one", "tests.>.one", "tests one.two"} {
			count := 0
			for _, err := range bus.Read(bounded(t), topic, cloud.Start{}) {
				assert.ErrorIs(t, err, cloud.ErrInvalid, "topic %q", topic)
				count++
			}
			assert.Equal(t, 1, count, "topic %q", topic)
		}
	})
}

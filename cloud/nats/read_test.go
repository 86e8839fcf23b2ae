package nats_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	server "github.com/drydock/drydock/emulator/nats"
)

// operate connects as an operator would, beside the bus.
func operate(t testing.TB, url string) jetstream.JetStream {
	t.Helper()
	operator, err := client.Connect(url)
	require.NoError(t, err)
	t.Cleanup(operator.Close)
	js, err := jetstream.New(operator)
	require.NoError(t, err)
	return js
}

func TestReadersGoOnOverRestartsOfTheServer(t *testing.T) {
	t.Parallel()
	const readers, rounds, batch = 4, 3, 100
	ctx := bounded(t)
	dir := t.TempDir()
	running, err := server.Start(server.Options{Dir: dir})
	require.NoError(t, err)
	port := portOf(t, running)
	bus, err := nats.OpenBus(ctx, running.URL())
	require.NoError(t, err)
	defer bus.Close()

	counts := make([]atomic.Int64, readers)
	var group sync.WaitGroup
	for i := range counts {
		group.Go(func() {
			var last cloud.Position
			for entry, err := range bus.Read(ctx, "tests.>", cloud.Start{}) {
				assert.NoError(t, err)
				want := counts[i].Load()
				if !assert.Equal(t, fmt.Sprint(want), entry.Event.ID, "no event is lost, none comes twice") || !assert.Greater(t, entry.Position, last) {
					return
				}
				last = entry.Position
				if counts[i].Store(want + 1); want+1 == rounds*batch {
					return
				}
			}
		})
	}
	for round := range rounds {
		if round > 0 { // while the readers are on their way
			require.NoError(t, running.Close())
			running, err = server.Start(server.Options{Dir: dir, Port: port})
			require.NoError(t, err)
			require.Eventually(t, func() bool { return bus.Ready(ctx) == nil }, long, 10*time.Millisecond)
		}
		for i := range batch {
			require.NoError(t, bus.Publish(ctx, "tests.one", event(fmt.Sprint(round*batch+i))))
		}
	}
	defer func() { require.NoError(t, running.Close()) }()
	group.Wait()
	for i := range counts {
		assert.EqualValues(t, rounds*batch, counts[i].Load())
	}
}

func TestAReaderLivesOverTheEndOfItsStream(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(t, err)
	defer bus.Close()
	for _, id := range []string{"1", "2", "3"} {
		require.NoError(t, bus.Publish(ctx, "tests.one", event(id)))
	}
	js := operate(t, s.URL())
	var got []string
	for entry, err := range bus.Read(ctx, "tests.one", cloud.Start{}) {
		require.NoError(t, err)
		got = append(got, fmt.Sprint(entry.Event.ID, "@", entry.Position))
		if entry.Event.ID == "3" {
			require.NoError(t, js.DeleteStream(ctx, "tests"))
			_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "tests", Subjects: []string{"tests.>"}})
			require.NoError(t, err)
			for _, id := range []string{"a", "b", "c", "d"} { // as many as before, and one more
				require.NoError(t, bus.Publish(ctx, "tests.one", event(id)))
			}
		}
		if entry.Event.ID == "d" {
			break
		}
	}
	assert.Equal(t, []string{"1@1", "2@2", "3@3", "a@1", "b@2", "c@3", "d@4"}, got)
	got = nil
	for entry, err := range bus.Read(ctx, "tests.one", cloud.Start{After: 1000}) {
		require.NoError(t, err)
		got = append(got, entry.Event.ID)
		break
	}
	assert.Equal(t, []string{"a"}, got, "after a position that the stream never had")
}

func TestAReadBeginsAnewWhereItsPositionIsOfAnotherStream(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	running, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer running.Close()
	bus, err := nats.OpenBus(ctx, running.URL())
	require.NoError(t, err)
	defer bus.Close()
	publish := func(from, to int) {
		for i := from; i < to; i++ {
			require.NoError(t, bus.Publish(ctx, "tests.one", cloud.Event{ID: fmt.Sprint(i), Source: "/t", Type: "t"}))
		}
	}
	first := func(from cloud.Start) cloud.Entry {
		for entry, err := range bus.Read(ctx, "tests.one", from) {
			require.NoError(t, err)
			return entry
		}
		require.Fail(t, "nothing was read")
		return cloud.Entry{}
	}
	publish(0, 3)
	second := first(cloud.Start{After: 1})
	after := cloud.Start{After: second.Position, Published: second.Published}
	assert.Equal(t, "2", first(after).Event.ID, "of the same stream it goes on")
	require.NoError(t, operate(t, running.URL()).DeleteStream(ctx, "tests"))
	publish(10, 15)
	assert.Equal(t, "10", first(after).Event.ID)
	assert.Equal(t, "12", first(cloud.Start{After: second.Position}).Event.ID, "a position alone does not tell")
}

func TestAReaderWhoseConsumerIsTakenAwayGoesOn(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(t, err)
	defer bus.Close()
	require.NoError(t, bus.Publish(ctx, "tests.one", event("0")))
	stream, err := operate(t, s.URL()).Stream(ctx, "tests")
	require.NoError(t, err)
	count := 0
	for entry, err := range bus.Read(ctx, "tests.one", cloud.Start{}) {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(count), entry.Event.ID)
		if count++; count == 4 {
			break
		}
		for name := range stream.ConsumerNames(ctx).Name() {
			require.NoError(t, stream.DeleteConsumer(ctx, name))
		}
		require.NoError(t, bus.Publish(ctx, "tests.one", event(fmt.Sprint(count))))
	}
	assert.Equal(t, 4, count)
}

func TestAReaderThatLeavesLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(t, err)
	defer bus.Close()
	for i := range 10 {
		require.NoError(t, bus.Publish(ctx, "tests.one", event(fmt.Sprint(i))))
	}
	for range 20 {
		for _, err := range bus.Read(ctx, "tests.>", cloud.Start{}) {
			require.NoError(t, err)
			break
		}
		ending, end := context.WithCancel(ctx)
		for range bus.Read(ending, "tests.>", cloud.Start{}) {
			end()
		}
		end()
	}
	stream, err := operate(t, s.URL()).Stream(ctx, "tests")
	require.NoError(t, err)
	info, err := stream.Info(ctx)
	require.NoError(t, err)
	assert.Zero(t, info.State.Consumers)
}

func TestAReadEndsWithItsContextWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	s := start(t)
	bus, err := nats.OpenBus(bounded(t), s.URL())
	require.NoError(t, err)
	defer bus.Close()
	require.NoError(t, bus.Publish(bounded(t), "tests.one", event("1")))
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	for _, err := range bus.Read(ctx, "tests.one", cloud.Start{}) {
		require.NoError(t, err)
		require.NoError(t, s.Close())
		time.AfterFunc(time.Second, cancel)
	}
	assert.ErrorIs(t, ctx.Err(), context.Canceled)
}

func TestWhatAReaderAsksAndNeverHearsOfIsAskedAnew(t *testing.T) {
	t.Parallel()
	for _, request := range []string{"STREAM.INFO.", "CONSUMER.CREATE.", "CONSUMER.MSG.NEXT."} {
		t.Run(request, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), long)
			defer cancel()
			relay := startRelay(t, start(t).URL())
			bus, err := nats.OpenBus(ctx, relay.url)
			require.NoError(t, err)
			defer bus.Close()
			require.NoError(t, bus.Publish(ctx, "tests.one", event("1")))
			lost := relay.loseNext(request, false)
			var got []string
			for entry, err := range bus.Read(ctx, "tests.one", cloud.Start{}) {
				require.NoError(t, err)
				got = append(got, entry.Event.ID)
				break
			}
			<-lost
			assert.Equal(t, []string{"1"}, got)
		})
	}
}

// BenchmarkRead reads 1 KB events, beside the ordered consumer of the client
// that Read could be at its best, and by several readers on one connection.
func BenchmarkRead(b *testing.B) {
	const events, size = 100_000, 1 << 10
	ctx := context.Background()
	s, err := server.Start(server.Options{Dir: b.TempDir()})
	require.NoError(b, err)
	defer s.Close()
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(b, err)
	defer bus.Close()
	js := operate(b, s.URL())
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "tests", Subjects: []string{"tests.>"}, Storage: jetstream.MemoryStorage})
	require.NoError(b, err)
	message := client.NewMsg("tests.one")
	message.Data = make([]byte, size)
	for key, value := range map[string]string{
		"ce-specversion": "1.0", "ce-source": "/drydock/test", "ce-type": "dev.drydock.test",
		"ce-time": "2026-02-03T04:05:06.123456789Z", "content-type": "application/json",
	} {
		message.Header.Set(key, value)
	}
	for i := range events {
		message.Header.Set("ce-id", fmt.Sprint("event-", i))
		_, err := js.PublishMsgAsync(message)
		require.NoError(b, err)
	}
	<-js.PublishAsyncComplete()

	read := func(b *testing.B, count int) {
		for entry, err := range bus.Read(ctx, "tests.>", cloud.Start{}) {
			if err != nil || len(entry.Event.Data) != size {
				b.Errorf("read %+v: %v", entry, err)
			}
			if count--; count == 0 {
				return
			}
		}
	}
	rate := func(b *testing.B, count int) {
		b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("ordered", func(b *testing.B) {
		for b.Loop() {
			consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{FilterSubjects: []string{"tests.>"}})
			require.NoError(b, err)
			messages, err := consumer.Messages(jetstream.PullMaxMessages(4096))
			require.NoError(b, err)
			for range events {
				_, err := messages.Next()
				require.NoError(b, err)
			}
			messages.Stop()
		}
		rate(b, events)
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			read(b, events)
		}
		rate(b, events)
	})
	for _, readers := range []int{8, 32} {
		b.Run(fmt.Sprint(readers, " readers"), func(b *testing.B) {
			for b.Loop() {
				var group sync.WaitGroup
				for range readers {
					group.Go(func() { read(b, events) })
				}
				group.Wait()
			}
			rate(b, readers*events)
		})
	}
}

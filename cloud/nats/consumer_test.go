package nats_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
)

// redrive sends an event to one consumer, as an operator's program would.
func redrive(t *testing.T, url, consumer, id string) {
	t.Helper()
	nc, err := client.Connect(url)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	message := client.NewMsg("tests.redrive." + consumer)
	for key, value := range map[string]string{"ce-id": id, "ce-source": "/t", "ce-type": "t", "drydock-topic": "tests.one"} {
		message.Header.Set(key, value)
	}
	_, err = js.PublishMsg(bounded(t), message)
	require.NoError(t, err)
}

func TestWhatIsSentAgainComesToTheOneConsumerAlone(t *testing.T) {
	t.Parallel()
	for _, topic := range []string{"tests.one", "tests.>"} {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()
			ctx := bounded(t)
			s := start(t)
			bus, err := nats.OpenBus(ctx, s.URL())
			require.NoError(t, err)
			defer bus.Close()
			subscribe := func(name string) cloud.Consumer {
				consumer, err := bus.Subscribe(ctx, cloud.Subscription{Name: name, Topic: topic, AckWait: 10 * time.Second})
				require.NoError(t, err)
				t.Cleanup(func() { consumer.Close() })
				return consumer
			}
			left, right := subscribe("left"), subscribe("right")
			redrive(t, s.URL(), "left", "again")
			require.NoError(t, bus.Publish(ctx, "tests.one", event("new")))

			for _, id := range []string{"again", "new"} {
				delivery, err := left.Next(ctx)
				require.NoError(t, err)
				assert.Equal(t, id, delivery.Event().ID)
				assert.Equal(t, "tests.one", delivery.Topic(), "as it was published at first")
				require.NoError(t, delivery.Ack(ctx))
			}
			delivery, err := right.Next(ctx)
			require.NoError(t, err)
			assert.Equal(t, "new", delivery.Event().ID)
		})
	}
}

func TestTheWordForWhatIsSentAgainIsReserved(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	bus, err := nats.OpenBus(ctx, start(t).URL())
	require.NoError(t, err)
	defer bus.Close()
	for _, topic := range []string{"tests.redrive", "tests.redrive.reader", "tests.redrive.reader.more"} {
		assert.ErrorIs(t, bus.Publish(ctx, topic, event("1")), cloud.ErrInvalid, topic)
		_, err := bus.Subscribe(ctx, cloud.Subscription{Name: "reader", Topic: topic, AckWait: time.Second})
		assert.ErrorIs(t, err, cloud.ErrInvalid, topic)
	}
	assert.NoError(t, bus.Publish(ctx, "tests.redriven", event("2")))
	assert.NoError(t, bus.Publish(ctx, "tests.one.redrive", event("3")))
}

func TestLargeEventsAreNotPrefetchedBeyondTheMemoryForThem(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(t, err)
	defer bus.Close()
	const events = 40
	for i := range events {
		large := event(fmt.Sprint(i))
		large.Data = make([]byte, 900<<10)
		require.NoError(t, bus.Publish(ctx, "tests.one", large))
	}
	consumer, err := bus.Subscribe(ctx, cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: time.Minute, Prefetch: 1000})
	require.NoError(t, err)
	defer consumer.Close()
	first, err := consumer.Next(ctx)
	require.NoError(t, err)

	nc, err := client.Connect(s.URL())
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	durable, err := js.Consumer(ctx, "tests", "reader")
	require.NoError(t, err)
	var delivered, before uint64
	require.Eventually(t, func() bool {
		info, err := durable.Info(ctx)
		assert.NoError(t, err)
		before, delivered = delivered, info.Delivered.Consumer
		return delivered > 1 && delivered == before // no more come
	}, 20*time.Second, 300*time.Millisecond)
	assert.LessOrEqual(t, delivered, uint64(20), "of 900 KiB each, for 16 MiB")

	require.NoError(t, first.Ack(ctx))
	for range events - 1 { // all of them come all the same
		delivery, err := consumer.Next(ctx)
		require.NoError(t, err)
		require.NoError(t, delivery.Ack(ctx))
	}
	none, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	_, err = consumer.Next(none)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

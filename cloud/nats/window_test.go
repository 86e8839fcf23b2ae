package nats

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	server "github.com/drydock/drydock/emulator/nats"
)

// A worker is killed right after the letter was published: the event is in
// both places, and in one alone as soon as another worker gives it up.
func TestAKillBetweenLetterAndAcknowledgementLosesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	s, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer s.Close()
	open := func() *Bus {
		bus, err := OpenBus(ctx, s.URL())
		require.NoError(t, err)
		return bus
	}
	next := func(bus *Bus, name, topic string, within time.Duration) (cloud.Delivery, error) {
		consumer, err := bus.Subscribe(ctx, cloud.Subscription{Name: name, Topic: topic, AckWait: time.Second})
		require.NoError(t, err)
		waiting, stop := context.WithTimeout(ctx, within)
		defer stop()
		return consumer.Next(waiting)
	}
	failure := cloud.Failure{Reason: "permanent", First: "a", Last: "b"}

	killed := open()
	require.NoError(t, killed.Publish(ctx, "tests.one", cloud.Event{ID: "1", Source: "/t", Type: "t"}))
	delivered, err := next(killed, "reader", "tests.one", time.Minute)
	require.NoError(t, err)
	require.NoError(t, delivered.(*delivery).keep(ctx, failure))
	killed.nc.Close()

	heir := open()
	defer heir.Close()
	again, err := next(heir, "reader", "tests.one", time.Minute)
	require.NoError(t, err)
	assert.Equal(t, "1", again.Event().ID)
	assert.Equal(t, 2, again.Attempt())
	require.NoError(t, again.DeadLetter(ctx, failure))

	letter, err := next(heir, "letters", "deadletters.>", time.Minute)
	require.NoError(t, err)
	assert.Equal(t, "1", letter.Event().ID)
	require.NoError(t, letter.Ack(ctx))
	_, err = next(heir, "letters", "deadletters.>", 300*time.Millisecond)
	assert.ErrorIs(t, err, context.DeadlineExceeded, "one letter")
	_, err = next(heir, "reader", "tests.one", 1500*time.Millisecond)
	assert.ErrorIs(t, err, context.DeadlineExceeded, "gone from the consumer")
}

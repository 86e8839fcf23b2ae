package nats_test

import (
	"context"
	"net/url"
	"strconv"
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

func event(id string) cloud.Event {
	return cloud.Event{ID: id, Source: "/drydock/test", Type: "dev.drydock.test"}
}

func portOf(t *testing.T, s *server.Server) int {
	t.Helper()
	address, err := url.Parse(s.URL())
	require.NoError(t, err)
	port, err := strconv.Atoi(address.Port())
	require.NoError(t, err)
	return port
}

func TestEverythingGoesOnOverARestartOfTheServer(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	dir := t.TempDir()
	first, err := server.Start(server.Options{Dir: dir})
	require.NoError(t, err)
	bus, err := nats.OpenBus(ctx, first.URL())
	require.NoError(t, err)
	defer bus.Close()
	records, err := nats.OpenRecords(ctx, first.URL(), "kept")
	require.NoError(t, err)
	defer records.Close()
	consumer, err := bus.Subscribe(ctx, cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: time.Second})
	require.NoError(t, err)
	defer consumer.Close()
	_, err = records.Put(ctx, "a", []byte("1"), 0, 0)
	require.NoError(t, err)
	watching, stop := context.WithCancel(ctx)
	changes := make(chan cloud.Change, 10)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for change, err := range records.Watch(watching, "") {
			assert.NoError(t, err)
			changes <- change
		}
	}()
	assert.Equal(t, "1", string((<-changes).Value))
	require.NoError(t, bus.Publish(ctx, "tests.one", event("before")))
	unanswered, err := consumer.Next(ctx)
	require.NoError(t, err)
	assert.Equal(t, "before", unanswered.Event().ID)

	waiting := make(chan cloud.Delivery)
	go func() {
		defer close(waiting)
		for range 2 {
			delivery, err := consumer.Next(ctx) // over the restart
			if !assert.NoError(t, err) {
				return
			}
			assert.NoError(t, delivery.Ack(ctx))
			waiting <- delivery
		}
	}()
	port := portOf(t, first)
	require.NoError(t, first.Close())
	assert.Error(t, bus.Ready(ctx))
	assert.Error(t, bus.Ready(context.Background()))
	second, err := server.Start(server.Options{Dir: dir, Port: port})
	require.NoError(t, err)
	t.Cleanup(func() { second.Close() }) // after the clients

	require.Eventually(t, func() bool { return bus.Ready(ctx) == nil }, long, 10*time.Millisecond)
	require.NoError(t, bus.Ready(context.Background()), "a deadline is not needed")
	require.NoError(t, bus.Publish(ctx, "tests.one", event("after")))
	got := map[string]bool{}
	for delivery := range waiting {
		got[delivery.Event().ID] = true
	}
	assert.Equal(t, map[string]bool{"before": true, "after": true}, got)

	record, err := records.Get(ctx, "a")
	require.NoError(t, err)
	_, err = records.Put(ctx, "a", []byte("2"), record.Revision, 0)
	require.NoError(t, err)
	for change := range changes {
		if string(change.Value) == "2" {
			break
		}
	}
	stop()
	<-watched
}

func TestAConsumerRemovedFromTheServerIsMadeAnew(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(t, err)
	defer bus.Close()
	consumer, err := bus.Subscribe(ctx, cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: time.Second})
	require.NoError(t, err)
	defer consumer.Close()

	operator, err := client.Connect(s.URL())
	require.NoError(t, err)
	defer operator.Close()
	js, err := jetstream.New(operator)
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(ctx, "tests"))
	published := make(chan error, 1)
	go func() { published <- bus.Publish(ctx, "tests.one", event("1")) }() // makes the stream anew
	delivery, err := consumer.Next(ctx)
	require.NoError(t, err)
	assert.Equal(t, "1", delivery.Event().ID)
	require.NoError(t, <-published)
}

// A server that is still removing a stream would remove the new one's files too.
func TestAStreamThatIsGoneIsNotMadeAnewAtOnce(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(t, err)
	defer bus.Close()
	require.NoError(t, bus.Publish(ctx, "tests.one", event("1")))
	js := operate(t, s.URL())
	require.NoError(t, js.DeleteStream(ctx, "tests"))
	removed := time.Now()
	require.NoError(t, bus.Publish(ctx, "tests.one", event("2")))
	stream, err := js.Stream(ctx, "tests")
	require.NoError(t, err)
	assert.Greater(t, stream.CachedInfo().Created.Sub(removed), 2*time.Second)
}

func TestAMessageThatIsNoCloudEventKeepsItsIdentity(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(t, err)
	defer bus.Close()
	consumer, err := bus.Subscribe(ctx, cloud.Subscription{Name: "reader", Topic: "objects.created", AckWait: time.Second})
	require.NoError(t, err)
	defer consumer.Close()
	store, err := client.Connect(s.URL())
	require.NoError(t, err)
	defer store.Close()
	js, err := jetstream.New(store)
	require.NoError(t, err)
	_, err = js.Publish(ctx, "objects.created", []byte(`{"Records":[]}`))
	require.NoError(t, err)
	first, err := consumer.Next(ctx)
	require.NoError(t, err)
	require.NoError(t, first.Retry(ctx, 0))
	second, err := consumer.Next(ctx)
	require.NoError(t, err)
	assert.Equal(t, first.Event(), second.Event())
	assert.Equal(t, "objects/1", first.Event().ID)
	assert.False(t, first.Event().Trace().IsZero(), "traceparent %q", first.Event().TraceParent)
	assert.Equal(t, "objects.created", first.Event().Type)
	assert.JSONEq(t, `{"Records":[]}`, string(first.Event().Data))
}

func TestAWrongURLIsNamedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"", "http://host", "nats://", "nats://u:secret@host?replicas=x", "nats://u:secret@host?replicas=7", "nats://u:secret@ho st"} {
		_, err := nats.OpenBus(bounded(t), wrong)
		require.Error(t, err, wrong)
		assert.NotContains(t, err.Error(), "secret")
	}
	ctx, cancel := context.WithTimeout(bounded(t), 300*time.Millisecond)
	defer cancel()
	_, err := nats.OpenBus(ctx, "nats://u:secret@127.0.0.1:1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.NotContains(t, err.Error(), "secret")
}

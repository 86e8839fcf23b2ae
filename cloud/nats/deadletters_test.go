package nats_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/cloudtest"
	"github.com/drydock/drydock/cloud/nats"
	server "github.com/drydock/drydock/emulator/nats"
)

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	cloudtest.DeadLetters(t, func(t *testing.T) func() (cloud.Bus, cloud.DeadLetters) {
		s := start(t)
		return func() (cloud.Bus, cloud.DeadLetters) { return openLetters(t, s.URL()) }
	})
}

func openLetters(t *testing.T, url string) (*nats.Bus, *nats.DeadLetters) {
	t.Helper()
	bus, err := nats.OpenBus(bounded(t), url)
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })
	letters, err := nats.OpenDeadLetters(bounded(t), url)
	require.NoError(t, err)
	t.Cleanup(func() { letters.Close() })
	return bus, letters
}

// operator is a client without any of our code.
func operator(t *testing.T, url string) (*client.Conn, jetstream.JetStream) {
	t.Helper()
	nc, err := client.Connect(url)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return nc, js
}

// giveUp makes a letter of one event, and returns its ID.
func giveUp(t *testing.T, bus *nats.Bus, letters *nats.DeadLetters, topic, id string) cloud.Letter {
	t.Helper()
	ctx := bounded(t)
	consumer, err := bus.Subscribe(ctx, cloud.Subscription{Name: "reader", Topic: topic, AckWait: 30 * time.Second})
	require.NoError(t, err)
	defer consumer.Close()
	require.NoError(t, bus.Publish(ctx, topic, event(id)))
	delivery, err := consumer.Next(ctx)
	require.NoError(t, err)
	require.NoError(t, delivery.DeadLetter(ctx, cloud.Failure{Reason: "permanent", Last: "no"}))
	for letter, err := range letters.List(ctx, cloud.LetterFilter{}) {
		require.NoError(t, err)
		if letter.Event.ID == id {
			return letter
		}
	}
	t.Fatalf("there is no letter of event %s", id)
	return cloud.Letter{}
}

func TestLettersOutliveTheServerAndEverythingGoesOn(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	dir := t.TempDir()
	first, err := server.Start(server.Options{Dir: dir})
	require.NoError(t, err)
	bus, letters := openLetters(t, first.URL())
	before := giveUp(t, bus, letters, "tests.one", "1")
	require.NoError(t, letters.Edit(ctx, before.ID, before.Revision, []byte("better")))
	port := portOf(t, first)
	require.NoError(t, first.Close())
	require.Error(t, letters.Ready(ctx))
	for _, err := range letters.List(ctx, cloud.LetterFilter{}) {
		require.Error(t, err)
	}
	second, err := server.Start(server.Options{Dir: dir, Port: port})
	require.NoError(t, err)
	t.Cleanup(func() { second.Close() })
	require.Eventually(t, func() bool { return letters.Ready(ctx) == nil && bus.Ready(ctx) == nil }, long, 10*time.Millisecond)

	letter, err := letters.Get(ctx, before.ID)
	require.NoError(t, err)
	assert.Equal(t, "better", string(letter.Event.Data))
	assert.True(t, before.At.Equal(letter.At))
	require.NoError(t, letters.Redrive(ctx, letter.ID, letter.Revision))
	consumer, err := bus.Subscribe(ctx, cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: 30 * time.Second})
	require.NoError(t, err)
	defer consumer.Close()
	delivery, err := consumer.Next(ctx)
	require.NoError(t, err)
	assert.Equal(t, "better", string(delivery.Event().Data))
	require.NoError(t, delivery.Ack(ctx))
}

// What dies between the two steps of a redrive leaves the event in both places;
// doing it again sends nothing a second time.
func TestARedriveThatDiedHalfWayIsDoneAgain(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, letters := openLetters(t, s.URL())
	_, js := operator(t, s.URL())
	stream, err := js.Stream(ctx, "deadletters")
	require.NoError(t, err)

	// The letter cannot be removed: as if the process had died before.
	config := stream.CachedInfo().Config
	config.DenyDelete = true
	require.NoError(t, js.DeleteStream(ctx, "deadletters"))
	_, err = js.CreateStream(ctx, config)
	require.NoError(t, err)
	letter := giveUp(t, bus, letters, "tests.one", "1")
	require.Error(t, letters.Redrive(ctx, letter.ID, letter.Revision))
	kept, err := letters.Get(ctx, letter.ID)
	require.NoError(t, err)
	assert.Equal(t, letter, kept, "it is in both places")
	require.Error(t, letters.Redrive(ctx, letter.ID, letter.Revision))

	tests, err := js.Stream(ctx, "tests")
	require.NoError(t, err)
	info, err := tests.Info(ctx, jetstream.WithSubjectFilter("tests.redrive.reader"))
	require.NoError(t, err)
	assert.Equal(t, map[string]uint64{"tests.redrive.reader": 1}, info.State.Subjects, "it was sent once")
}

func TestNobodyLosesWhatNobodyWouldRead(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, letters := openLetters(t, s.URL())
	letter := giveUp(t, bus, letters, "tests.one", "1")
	_, js := operator(t, s.URL())

	_, err := js.UpdateConsumer(ctx, "tests", jetstream.ConsumerConfig{Durable: "reader", FilterSubject: "tests.one", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Second, MaxDeliver: -1})
	require.NoError(t, err)
	err = letters.Redrive(ctx, letter.ID, letter.Revision)
	require.ErrorIs(t, err, cloud.ErrInvalid)
	assert.ErrorContains(t, err, "does not read tests.redrive.reader")

	require.NoError(t, js.DeleteConsumer(ctx, "tests", "reader"))
	err = letters.Redrive(ctx, letter.ID, letter.Revision)
	require.ErrorIs(t, err, cloud.ErrInvalid)
	assert.ErrorContains(t, err, "stream tests has no consumer reader any more")
	require.NoError(t, js.DeleteStream(ctx, "tests"))
	require.ErrorIs(t, letters.Redrive(ctx, letter.ID, letter.Revision), cloud.ErrInvalid)

	kept, err := letters.Get(ctx, letter.ID)
	require.NoError(t, err)
	assert.Equal(t, letter, kept)
}

// A program that knows nothing of CloudEvents publishes with headers of its
// own, and some that tell the server what to do.
func TestALetterKeepsForeignHeadersAndIdentity(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	bus, letters := openLetters(t, s.URL())
	consumer, err := bus.Subscribe(ctx, cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: 30 * time.Second})
	require.NoError(t, err)
	defer consumer.Close()
	nc, js := operator(t, s.URL())
	message := client.NewMsg("tests.one")
	message.Data = []byte(`{"Records":[]}`)
	message.Header.Set("tracestate", "vendor=1")
	message.Header.Set(client.ExpectedStreamHdr, "tests")
	_, err = js.PublishMsg(ctx, message)
	require.NoError(t, err)
	delivery, err := consumer.Next(ctx)
	require.NoError(t, err)
	given := delivery.Event()
	require.NoError(t, delivery.DeadLetter(ctx, cloud.Failure{Reason: "permanent"}))
	letter, err := letters.Get(ctx, "tests.reader.1")
	require.NoError(t, err)
	assert.Equal(t, given.ID, letter.Event.ID)
	assert.Equal(t, given.TraceParent, letter.Event.TraceParent)

	sent, err := nc.SubscribeSync("tests.redrive.reader")
	require.NoError(t, err)
	require.NoError(t, nc.Flush())
	require.NoError(t, letters.Redrive(ctx, letter.ID, letter.Revision))
	raw, err := sent.NextMsgWithContext(ctx)
	require.NoError(t, err)
	assert.Equal(t, "vendor=1", raw.Header.Get("tracestate"))
	assert.Equal(t, "redrive/tests.reader.1/1", raw.Header.Get(client.MsgIdHdr))
	delivery, err = consumer.Next(ctx)
	require.NoError(t, err)
	assert.Equal(t, given.ID, delivery.Event().ID, "its place gave it its identity, which it keeps in another place")
	assert.Equal(t, given.TraceParent, delivery.Event().TraceParent, "and its trace")
	assert.Equal(t, given.Data, delivery.Event().Data)
	require.NoError(t, delivery.Ack(ctx))
}

func TestLettersOfAnEarlierVersionAreKept(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	_, js := operator(t, s.URL())
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "deadletters", Subjects: []string{"deadletters.>"}})
	require.NoError(t, err)
	const count = 5
	for i := range count {
		old := client.NewMsg("deadletters.tests.reader")
		old.Data = fmt.Append(nil, i)
		old.Header.Set("drydock-reason", "permanent: no")
		old.Header.Set("drydock-topic", "tests.one")
		old.Header.Set("drydock-sequence", fmt.Sprint(i+1))
		_, err := js.PublishMsg(ctx, old)
		require.NoError(t, err)
	}
	_, letters := openLetters(t, s.URL())
	i := 0
	for letter, err := range letters.List(ctx, cloud.LetterFilter{}) {
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("tests.reader.%d", i+1), letter.ID)
		assert.Equal(t, fmt.Sprint(i), string(letter.Event.Data))
		assert.Equal(t, "permanent: no", letter.Reason)
		assert.Equal(t, "tests.one", letter.Topic)
		i++
	}
	assert.Equal(t, count, i)
}

// A bus that creates the stream first and letters that do so make the same.
func TestTheStreamOfLettersIsTheSameWhoeverMakesIt(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	var configs []jetstream.StreamConfig
	for _, make := range []func(url string){
		func(url string) {
			bus, err := nats.OpenBus(ctx, url)
			require.NoError(t, err)
			defer bus.Close()
			require.NoError(t, bus.Declare(ctx, "deadletters"))
		},
		func(url string) {
			letters, err := nats.OpenDeadLetters(ctx, url)
			require.NoError(t, err)
			defer letters.Close()
		},
	} {
		s := start(t)
		make(s.URL())
		_, js := operator(t, s.URL())
		stream, err := js.Stream(ctx, "deadletters")
		require.NoError(t, err)
		configs = append(configs, stream.CachedInfo().Config)
	}
	assert.Equal(t, configs[0], configs[1])
	assert.Zero(t, configs[0].MaxAge)
	assert.EqualValues(t, 1, configs[0].MaxMsgsPerSubject)
}

func TestListingLettersEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := start(t)
	bus, letters := openLetters(t, s.URL())
	for i := range 3 {
		giveUp(t, bus, letters, "tests.one", strings.Repeat("x", i+1))
	}
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	var failed error
	for _, err := range letters.List(ctx, cloud.LetterFilter{}) {
		cancel()
		failed = err
	}
	require.ErrorIs(t, failed, context.Canceled)
}

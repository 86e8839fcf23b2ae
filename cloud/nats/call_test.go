package nats_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
)

// long is more than anything here may take, on a busy machine.
const long = 2 * time.Minute

// clients are all that this package has, with a few things in them.
type clients struct {
	bus       *nats.Bus
	records   *nats.Records
	letters   *nats.DeadLetters
	schedules *nats.Schedules
	letter    cloud.Letter
}

// connect makes the clients on a server, and each of them again through a relay.
func connect(t *testing.T) (*relay, *clients) {
	t.Helper()
	s := start(t)
	r := startRelay(t, s.URL())
	fill := open(t, s.URL())
	ctx := bounded(t)
	_, err := fill.records.Put(ctx, "a/b", []byte("1"), 0, 0)
	require.NoError(t, err)
	require.NoError(t, fill.schedules.Declare(ctx, hourly("kept")))
	consumer, err := fill.bus.Subscribe(ctx, cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { consumer.Close() })
	require.NoError(t, fill.bus.Publish(ctx, "tests.one", event("1")))
	delivery, err := consumer.Next(ctx)
	require.NoError(t, err)
	require.NoError(t, delivery.DeadLetter(ctx, cloud.Failure{Reason: "permanent"}))
	through := open(t, r.url)
	for through.letter, err = range fill.letters.List(ctx, cloud.LetterFilter{}) {
		require.NoError(t, err)
	}
	require.NoError(t, through.bus.Publish(ctx, "tests.one", event("2")))
	return r, through
}

func open(t *testing.T, url string) *clients {
	t.Helper()
	ctx := bounded(t)
	var c clients
	var err error
	c.bus, err = nats.OpenBus(ctx, url)
	require.NoError(t, err)
	t.Cleanup(func() { c.bus.Close() })
	c.records, err = nats.OpenRecords(ctx, url, "kept")
	require.NoError(t, err)
	t.Cleanup(func() { c.records.Close() })
	c.letters, err = nats.OpenDeadLetters(ctx, url)
	require.NoError(t, err)
	t.Cleanup(func() { c.letters.Close() })
	c.schedules, err = nats.OpenSchedules(ctx, url)
	require.NoError(t, err)
	t.Cleanup(func() { c.schedules.Close() })
	return &c
}

// call is something that callers wait for until the server answers.
type call struct {
	word string // that its first request has, and no other at that time
	do   func(context.Context) error
}

func calls(c *clients) map[string]call {
	return map[string]call{
		"publish": {"PUB tests.one", func(ctx context.Context) error { return c.bus.Publish(ctx, "tests.one", event("3")) }},
		"declare": {"STREAM.INFO.others", func(ctx context.Context) error { return c.bus.Declare(ctx, "others") }},
		"subscribe": {"CONSUMER.CREATE.tests.second", func(ctx context.Context) error {
			consumer, err := c.bus.Subscribe(ctx, cloud.Subscription{Name: "second", Topic: "tests.one", AckWait: time.Minute})
			if err == nil {
				err = consumer.Close()
			}
			return err
		}},
		"ready": {"PING", c.bus.Ready},
		"get record": {"DIRECT.GET.KV_kept", func(ctx context.Context) error {
			_, err := c.records.Get(ctx, "a/b")
			return err
		}},
		"put record": {"PUB $KV.kept.new", func(ctx context.Context) error {
			_, err := c.records.Put(ctx, "new", []byte("2"), 0, 0)
			return err
		}},
		"delete record":    {"PUB $KV.kept.none", func(ctx context.Context) error { return c.records.Delete(ctx, "none") }},
		"list records":     {"CONSUMER.CREATE.KV_kept", func(ctx context.Context) error { return all(c.records.List(ctx, "")) }},
		"get letter":       {"DIRECT.GET.deadletters", func(ctx context.Context) error { return get(ctx, c) }},
		"list letters":     {"STREAM.INFO.deadletters", func(ctx context.Context) error { return all(c.letters.List(ctx, cloud.LetterFilter{})) }},
		"redrive letter":   {"DIRECT.GET.deadletters", func(ctx context.Context) error { return settled(c.letters.Redrive(ctx, c.letter.ID, 9)) }},
		"edit letter":      {"DIRECT.GET.deadletters", func(ctx context.Context) error { return settled(c.letters.Edit(ctx, c.letter.ID, 9, nil)) }},
		"delete letter":    {"STREAM.PURGE.deadletters", func(ctx context.Context) error { return c.letters.Delete(ctx, "tests.reader.9") }},
		"declare schedule": {"STREAM.INFO.schedules", func(ctx context.Context) error { return c.schedules.Declare(ctx, hourly("new")) }},
		"remove schedule":  {"STREAM.INFO.schedules", func(ctx context.Context) error { return c.schedules.Remove(ctx, "none") }},
		"list schedules":   {"STREAM.INFO.schedules", func(ctx context.Context) error { return all(c.schedules.List(ctx)) }},
	}
}

func hourly(name string) cloud.Schedule {
	return cloud.Schedule{Name: name, Every: time.Hour, Source: "/drydock/test", Type: "dev.drydock.test"}
}

func get(ctx context.Context, c *clients) error {
	_, err := c.letters.Get(ctx, c.letter.ID)
	return err
}

// all reads a sequence to its end.
func all[T any](sequence iter.Seq2[T, error]) error {
	for _, err := range sequence {
		if err != nil {
			return err
		}
	}
	return nil
}

// settled takes the conflict with a wrong revision for what it is, an answer.
func settled(err error) error {
	if errors.Is(err, cloud.ErrConflict) {
		return nil
	}
	return err
}

func TestACallEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	relay, clients := connect(t)
	for name, call := range calls(clients) {
		if name == "ready" { // the client says the same by itself when it has reconnected
			continue
		}
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), long)
			defer cancel()
			lost := relay.loseNext(call.word, false)
			err := call.do(ctx)
			<-lost
			require.ErrorIs(t, err, cloud.ErrUnavailable)
			require.NoError(t, ctx.Err())
			require.Eventually(t, func() bool { return call.do(ctx) == nil }, long, 10*time.Millisecond, "once it is back")
		})
	}
}

func TestACallEndsThoughNoAnswerComes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var waiting sync.WaitGroup
	for _, name := range []string{"publish", "list records", "list letters", "ready"} {
		relay, clients := connect(t)
		call := calls(clients)[name]
		relay.loseNext(call.word, true)
		waiting.Go(func() { assert.ErrorIs(t, call.do(ctx), cloud.ErrUnavailable, name) })
	}
	waiting.Wait()
	require.NoError(t, ctx.Err())
}

func TestACallWhoseContextEndsSaysSo(t *testing.T) {
	t.Parallel()
	relay, clients := connect(t)
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	publish := calls(clients)["publish"]
	lost := relay.loseNext(publish.word, true)
	go func() {
		<-lost
		cancel()
	}()
	err := publish.do(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, cloud.ErrUnavailable)
}

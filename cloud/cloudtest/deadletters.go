package cloudtest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
)

// DeadLetters holds a provider against what cloud.DeadLetters promises, with
// the cloud.Bus whose consumers give events up. Open returns a way to connect
// to one fresh, empty place of both.
func DeadLetters(t *testing.T, open func(t *testing.T) func() (cloud.Bus, cloud.DeadLetters)) {
	test := func(name string, run func(t *testing.T, y *yard)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connect := open(t)
			y := &yard{connect: connect}
			y.bus, y.letters = connect()
			run(t, y)
		})
	}

	test("a letter is the whole event and why it was given up", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		consumer := y.subscribe(t, "reader", "tests.>")
		sent := cloud.Event{
			ID: "1 / ünïque", Source: "/drydock/test", Type: "dev.drydock.test", Subject: "a thing", ContentType: "text/plain",
			TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
			Time:        time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Data: []byte("poison\x00\xff"),
		}
		require.NoError(t, y.bus.Publish(ctx, "tests.one", sent))
		before := time.Now()
		failure := cloud.Failure{Reason: "attempts used up", First: "first: line one\nline two", Last: "last: 100 % ünïcode", Began: before.Add(-time.Minute)}
		first := next(t, consumer)
		require.NoError(t, first.Retry(ctx, 0))
		require.NoError(t, next(t, consumer).DeadLetter(ctx, failure))

		letter := y.only(t)
		assert.Equal(t, "tests", letter.Stream)
		assert.Equal(t, "reader", letter.Consumer)
		assert.Regexp(t, `^tests\.reader\.[0-9]+$`, letter.ID)
		assert.Equal(t, "tests.one", letter.Topic)
		assert.Equal(t, 2, letter.Attempts)
		assert.WithinDuration(t, before, letter.At, limit)
		assert.WithinDuration(t, failure.Began, letter.Began, time.Microsecond)
		letter.Began = failure.Began
		assert.Equal(t, failure, letter.Failure)
		assert.Empty(t, letter.History)
		assert.Equal(t, sent, letter.Event)
		again, err := y.letters.Get(ctx, letter.ID)
		require.NoError(t, err)
		letter.Began = again.Began
		assert.Equal(t, letter, again)
	})

	test("long errors are cut, the event is not", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		consumer := y.subscribe(t, "reader", "tests.one")
		event := plain("1")
		event.Data = bytes.Repeat([]byte("x"), 900<<10)
		require.NoError(t, y.bus.Publish(ctx, "tests.one", event))
		long := string(bytes.Repeat([]byte("ü"), 1<<20))
		require.NoError(t, next(t, consumer).DeadLetter(ctx, cloud.Failure{Reason: "permanent", First: long, Last: long}))
		letter := y.only(t)
		assert.Equal(t, event.Data, letter.Event.Data)
		for _, text := range []string{letter.First, letter.Last} {
			assert.Greater(t, len(text), 1000)
			assert.Less(t, len(text), 10_000)
		}
	})

	test("what is missing", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		for _, id := range []string{"tests.reader.1", "", "tests", "tests.reader.*", "tests.>", "a b.c.1", "tests.reader.1.2"} {
			_, err := y.letters.Get(ctx, id)
			require.ErrorIs(t, err, cloud.ErrNotFound, "%q", id)
			require.ErrorIs(t, y.letters.Edit(ctx, id, 1, nil), cloud.ErrNotFound, "%q", id)
			require.ErrorIs(t, y.letters.Redrive(ctx, id, 1), cloud.ErrNotFound, "%q", id)
			require.NoError(t, y.letters.Delete(ctx, id), "%q", id)
		}
		assert.Empty(t, y.list(t, cloud.LetterFilter{}))
		for _, filter := range []cloud.LetterFilter{{Stream: "a.b"}, {Stream: ">"}, {Consumer: "*"}} {
			for _, err := range y.letters.List(ctx, filter) {
				require.ErrorIs(t, err, cloud.ErrInvalid)
			}
		}
	})

	test("a list holds what its filter lets through", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		give := func(topic, consumer, reason, last string) {
			y.giveUp(t, y.subscribe(t, consumer, topic), topic, plain(reason), cloud.Failure{Reason: reason, First: "timeout", Last: last})
		}
		give("tests.one", "reader", "permanent", "No such Picture")
		give("tests.two", "writer", "attempts used up", "connection refused")
		half := time.Now()
		give("others.one", "reader", "never came to an end", "no word")
		all := y.list(t, cloud.LetterFilter{})
		require.Len(t, all, 3)
		assert.True(t, slices.IsSortedFunc(all, func(a, b cloud.Letter) int { return a.At.Compare(b.At) }))
		for _, c := range []struct {
			filter cloud.LetterFilter
			want   []cloud.Letter
		}{
			{cloud.LetterFilter{Stream: "tests"}, all[:2]},
			{cloud.LetterFilter{Stream: "tes"}, nil},
			{cloud.LetterFilter{Consumer: "writer"}, all[1:2]},
			{cloud.LetterFilter{Stream: "others", Consumer: "reader"}, all[2:]},
			{cloud.LetterFilter{Stream: "others", Consumer: "writer"}, nil},
			{cloud.LetterFilter{Reason: "no such picture"}, all[:1]},
			{cloud.LetterFilter{Reason: "ATTEMPTS"}, all[1:2]},
			{cloud.LetterFilter{Reason: "timeout"}, all},
			{cloud.LetterFilter{Reason: "nothing of it"}, nil},
			{cloud.LetterFilter{Before: half}, all[:2]},
			{cloud.LetterFilter{After: half}, all[2:]},
			{cloud.LetterFilter{After: all[0].At, Before: all[2].At}, all[1:2]},
			{cloud.LetterFilter{Beyond: all[0].Revision}, all[1:]},
			{cloud.LetterFilter{Beyond: all[2].Revision}, nil},
			{cloud.LetterFilter{Beyond: 1 << 60}, nil},
		} {
			assert.Equal(t, c.want, y.list(t, c.filter), "%+v", c.filter)
		}
		for range y.letters.List(ctx, cloud.LetterFilter{}) { // leaving early is allowed
			break
		}
		for _, letter := range all {
			require.NoError(t, y.letters.Delete(ctx, letter.ID))
			require.NoError(t, y.letters.Delete(ctx, letter.ID), "deleting twice")
		}
		assert.Empty(t, y.list(t, cloud.LetterFilter{}))
	})

	test("many letters, some removed and some added while they are listed", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		const count = 600
		consumer := y.subscribe(t, "reader", "tests.one")
		for i := range count {
			y.giveUp(t, consumer, "tests.one", plain(fmt.Sprint(i)), cloud.Failure{Reason: "permanent", Last: "no"})
		}
		all := y.list(t, cloud.LetterFilter{})
		require.Len(t, all, count)
		seen := 0
		for letter, err := range y.letters.List(ctx, cloud.LetterFilter{}) {
			require.NoError(t, err)
			require.Equal(t, all[seen].ID, letter.ID)
			if seen++; seen == 10 {
				y.giveUp(t, consumer, "tests.one", plain("late"), cloud.Failure{Reason: "permanent"})
				for _, removed := range all[count-5:] {
					require.NoError(t, y.letters.Delete(ctx, removed.ID))
				}
			}
		}
		assert.LessOrEqual(t, seen, count, "what came later is not in the list")
		assert.GreaterOrEqual(t, seen, count-5)
	})

	test("an event sent again reaches the consumer that gave it up, and nobody else", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		consumer, other, wide := y.subscribe(t, "reader", "tests.one"), y.subscribe(t, "other", "tests.one"), y.subscribe(t, "wide", "tests.>")
		event := plain("1")
		event.Data = []byte(`{"whole":true}`)
		y.giveUp(t, consumer, "tests.one", event, cloud.Failure{Reason: "permanent", First: "f", Last: "l"})
		require.NoError(t, next(t, other).Ack(ctx))
		require.NoError(t, next(t, wide).Ack(ctx))

		letter := y.only(t)
		require.NoError(t, y.letters.Redrive(ctx, letter.ID, letter.Revision))
		require.ErrorIs(t, y.letters.Redrive(ctx, letter.ID, letter.Revision), cloud.ErrNotFound)
		assert.Empty(t, y.list(t, cloud.LetterFilter{}))
		again := next(t, consumer)
		assert.Equal(t, "tests.one", again.Topic())
		assert.Equal(t, 1, again.Attempt())
		assert.Equal(t, letter.Event, again.Event())
		require.NoError(t, again.Ack(ctx))

		// What is published after it comes first to those who did not get it.
		require.NoError(t, y.bus.Publish(ctx, "tests.one", plain("2")))
		for _, c := range []cloud.Consumer{consumer, other, wide} {
			delivery := next(t, c)
			assert.Equal(t, "2", delivery.Event().ID)
			require.NoError(t, delivery.Ack(ctx))
		}
	})

	test("the history tells of every failure", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		consumer := y.subscribe(t, "reader", "tests.one")
		y.giveUp(t, consumer, "tests.one", plain("1"), cloud.Failure{Reason: "permanent", Last: "error 1"})
		first := y.only(t)
		assert.False(t, first.Event.Trace().IsZero())
		require.NoError(t, y.letters.Redrive(ctx, first.ID, first.Revision))
		again := next(t, consumer)
		require.NoError(t, again.Retry(ctx, 0))
		require.NoError(t, next(t, consumer).DeadLetter(ctx, cloud.Failure{Reason: "attempts used up", Last: "error 2"}))

		second := y.only(t)
		assert.NotEqual(t, first.ID, second.ID)
		assert.Equal(t, "tests.one", second.Topic)
		assert.Equal(t, first.Event, second.Event, "its trace too")
		assert.Equal(t, "error 2", second.Last)
		assert.Equal(t, 1, second.Redriven())
		require.NoError(t, y.letters.Edit(ctx, second.ID, second.Revision, []byte("better")))
		second = y.only(t)
		require.NoError(t, y.letters.Redrive(ctx, second.ID, second.Revision))
		again = next(t, consumer)
		assert.Equal(t, "better", string(again.Event().Data))
		require.NoError(t, again.DeadLetter(ctx, cloud.Failure{Reason: "permanent", Last: "error 3"}))

		third := y.only(t)
		assert.Equal(t, 2, third.Redriven())
		require.Len(t, third.History, 3)
		for i := range third.History {
			assert.WithinDuration(t, time.Now(), third.History[i].At, limit)
			third.History[i].At = time.Time{}
		}
		assert.Equal(t, []cloud.LetterChange{
			{Kind: cloud.LetterRedriven, Letter: first.ID, Reason: "permanent", Last: "error 1", Attempts: 1},
			{Kind: cloud.LetterEdited, Letter: second.ID},
			{Kind: cloud.LetterRedriven, Letter: second.ID, Reason: "attempts used up", Last: "error 2", Attempts: 2},
		}, third.History)
	})

	test("a long history stays bounded and does not forget that the event comes back", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		consumer := y.subscribe(t, "reader", "tests.one")
		y.giveUp(t, consumer, "tests.one", plain("1"), cloud.Failure{Reason: "permanent", Last: "no"})
		for range 3 {
			letter := y.only(t)
			require.NoError(t, y.letters.Redrive(ctx, letter.ID, letter.Revision))
			require.NoError(t, next(t, consumer).DeadLetter(ctx, cloud.Failure{Reason: "permanent", Last: string(bytes.Repeat([]byte("no "), 1000))}))
		}
		for i := range 50 {
			letter := y.only(t)
			require.NoError(t, y.letters.Edit(ctx, letter.ID, letter.Revision, fmt.Append(nil, i)))
		}
		letter := y.only(t)
		assert.Equal(t, 3, letter.Redriven())
		assert.Less(t, len(letter.History), 50)
		assert.Equal(t, cloud.LetterEdited, letter.History[len(letter.History)-1].Kind)
		assert.Equal(t, "49", string(letter.Event.Data))
	})

	test("an edit keeps everything but the data", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		y.giveUp(t, y.subscribe(t, "reader", "tests.one"), "tests.one", plain("1"), cloud.Failure{Reason: "permanent", First: "f", Last: "l", Began: time.Now().UTC()})
		before := y.only(t)
		require.NoError(t, y.letters.Edit(ctx, before.ID, before.Revision, []byte("better")))
		after := y.only(t)
		assert.NotEqual(t, before.Revision, after.Revision)
		require.Len(t, after.History, 1)
		assert.Equal(t, cloud.LetterEdited, after.History[0].Kind)
		assert.Equal(t, before.ID, after.History[0].Letter)
		assert.Equal(t, "better", string(after.Event.Data))
		after.Revision, after.History, after.Event.Data = before.Revision, before.History, before.Event.Data
		assert.True(t, before.At.Equal(after.At))
		after.At = before.At
		assert.Equal(t, before, after)

		require.ErrorIs(t, y.letters.Edit(ctx, before.ID, before.Revision, nil), cloud.ErrConflict)
		require.ErrorIs(t, y.letters.Redrive(ctx, before.ID, before.Revision), cloud.ErrConflict)
		assert.Equal(t, "better", string(y.only(t).Event.Data))
		require.ErrorIs(t, y.letters.Edit(ctx, before.ID, y.only(t).Revision, make([]byte, 64<<20)), cloud.ErrInvalid)
	})

	test("among racing edits one wins", func(t *testing.T, y *yard) {
		y.giveUp(t, y.subscribe(t, "reader", "tests.one"), "tests.one", plain("1"), cloud.Failure{Reason: "permanent"})
		letter := y.only(t)
		var won atomic.Int32
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				if err := y.letters.Edit(bounded(t), letter.ID, letter.Revision, fmt.Append(nil, i)); err == nil {
					won.Add(1)
				} else {
					assert.ErrorIs(t, err, cloud.ErrConflict)
				}
			})
		}
		group.Wait()
		assert.EqualValues(t, 1, won.Load())
	})

	test("racing redrives send once", func(t *testing.T, y *yard) {
		ctx := bounded(t)
		consumer := y.subscribe(t, "reader", "tests.one")
		y.giveUp(t, consumer, "tests.one", plain("1"), cloud.Failure{Reason: "permanent"})
		letter := y.only(t)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if err := y.letters.Redrive(bounded(t), letter.ID, letter.Revision); err != nil {
					assert.ErrorIs(t, err, cloud.ErrNotFound)
				}
			})
		}
		group.Wait()
		assert.Empty(t, y.list(t, cloud.LetterFilter{}))
		require.NoError(t, y.bus.Publish(ctx, "tests.one", plain("after")))
		var ids []string
		for range 2 {
			delivery := next(t, consumer)
			ids = append(ids, delivery.Event().ID)
			require.NoError(t, delivery.Ack(ctx))
		}
		assert.ElementsMatch(t, []string{"1", "after"}, ids)
	})

	test("letters outlive those who made them", func(t *testing.T, y *yard) {
		y.giveUp(t, y.subscribe(t, "reader", "tests.one"), "tests.one", plain("1"), cloud.Failure{Reason: "permanent", Last: "no"})
		letter := y.only(t)
		require.NoError(t, y.letters.Ready(bounded(t)))
		require.NoError(t, y.letters.Close())
		require.NoError(t, y.letters.Close(), "closing twice")
		require.Error(t, y.letters.Ready(bounded(t)))
		y.bus, y.letters = y.connect()
		assert.Equal(t, letter, y.only(t))
	})
}

// yard is a bus, the letters of its consumers, and a way to connect to both anew.
type yard struct {
	bus     cloud.Bus
	letters cloud.DeadLetters
	connect func() (cloud.Bus, cloud.DeadLetters)
}

func (y *yard) subscribe(t *testing.T, name, topic string) cloud.Consumer {
	t.Helper()
	consumer, err := y.bus.Subscribe(bounded(t), cloud.Subscription{Name: name, Topic: topic, AckWait: limit})
	require.NoError(t, err)
	t.Cleanup(func() { consumer.Close() })
	return consumer
}

// giveUp publishes an event, which has to be the consumer's next one, and dead-letters it.
func (y *yard) giveUp(t *testing.T, consumer cloud.Consumer, topic string, event cloud.Event, failure cloud.Failure) {
	t.Helper()
	ctx := bounded(t)
	require.NoError(t, y.bus.Publish(ctx, topic, event))
	delivery := next(t, consumer)
	require.Equal(t, event.ID, delivery.Event().ID)
	require.NoError(t, delivery.DeadLetter(ctx, failure))
}

func (y *yard) list(t *testing.T, filter cloud.LetterFilter) (letters []cloud.Letter) {
	t.Helper()
	for letter, err := range y.letters.List(bounded(t), filter) {
		require.NoError(t, err)
		letters = append(letters, letter)
	}
	return letters
}

// only returns the one letter that there has to be.
func (y *yard) only(t *testing.T) cloud.Letter {
	t.Helper()
	letters := y.list(t, cloud.LetterFilter{})
	require.Len(t, letters, 1)
	return letters[0]
}

func plain(id string) cloud.Event {
	return cloud.Event{ID: id, Source: "/drydock/test", Type: "dev.drydock.test"}
}

func next(t *testing.T, consumer cloud.Consumer) cloud.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	delivery, err := consumer.Next(ctx)
	require.NoError(t, err)
	return delivery
}

package uploads

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// ahead is a clock that stands still, so much later than it is.
func ahead(by time.Duration) func() time.Time {
	at := time.Now().Add(by)
	return func() time.Time { return at }
}

// announcements subscribes to what sweeps publish.
func (b *bench) announcements(t *testing.T) cloud.Consumer {
	t.Helper()
	consumer, err := b.options.Bus.Subscribe(within(t), cloud.Subscription{Name: "images", Topic: contract.TopicObjectsCreated, AckWait: patience})
	require.NoError(t, err)
	t.Cleanup(func() { consumer.Close() })
	return consumer
}

// announced takes so many announcements and returns their keys in order; there must be no more.
func announced(t *testing.T, b *bench, consumer cloud.Consumer, count int) []string {
	t.Helper()
	end := fmt.Sprintf("end-%d", time.Now().UnixNano())
	require.NoError(t, b.options.Bus.Publish(within(t), contract.TopicObjectsCreated, cloud.Event{ID: end, Source: "/test", Type: "test"}))
	keys := []string{}
	for {
		delivery, err := consumer.Next(within(t))
		require.NoError(t, err)
		require.NoError(t, delivery.Ack(within(t)))
		event := delivery.Event()
		if event.ID == end {
			require.Len(t, keys, count, "%v", keys)
			return keys
		}
		objects, err := contract.ParseObjectsCreated(event.Data)
		require.NoError(t, err)
		require.Len(t, objects, 1)
		require.Equal(t, b.options.Objects.Bucket(), objects[0].Bucket)
		require.Equal(t, event.Subject, objects[0].Key)
		require.NotEmpty(t, objects[0].ETag)
		keys = append(keys, objects[0].Key)
	}
}

func TestSweepFinds(t *testing.T) {
	t.Parallel()
	b := start(t)
	consumer := b.announcements(t)
	b.now = ahead(3 * time.Minute)
	now := time.Now()
	var lost []string
	for name, prepare := range map[string]func(id string, object cloud.ObjectInfo) bool{
		"no notification": func(string, cloud.ObjectInfo) bool { return true },
		"worker died": func(id string, object cloud.ObjectInfo) bool {
			b.work(t, "ann", id, contract.StatusProcessing, func(doc *contract.Upload) { doc.ETag = object.ETag })
			return true
		},
		"sent again with other content": func(id string, _ cloud.ObjectInfo) bool {
			b.work(t, "ann", id, contract.StatusProcessed, func(doc *contract.Upload) { doc.ETag = "of the first" })
			return true
		},
		"worker at work": func(id string, object cloud.ObjectInfo) bool {
			b.work(t, "ann", id, contract.StatusProcessing, func(doc *contract.Upload) { doc.ETag, doc.Updated = object.ETag, b.now() })
			return false
		},
		"processed": func(id string, object cloud.ObjectInfo) bool {
			b.work(t, "ann", id, contract.StatusProcessed, func(doc *contract.Upload) { doc.ETag = object.ETag })
			return false
		},
		"rejected": func(id string, object cloud.ObjectInfo) bool {
			b.work(t, "ann", id, contract.StatusRejected, func(doc *contract.Upload) { doc.ETag = object.ETag })
			return false
		},
	} {
		id, object := b.drop(t, "ann", now, name)
		if prepare(id, object) {
			lost = append(lost, object.Key)
		}
	}
	_, others := b.drop(t, "bob", now.Add(-365*24*time.Hour), "a year ago")
	lost = append(lost, others.Key)
	// What is no upload's is left alone.
	for _, key := range []string{"incoming/ann/readme.txt", "incoming/ÄNN/x/y", "incoming/loose"} {
		_, err := b.options.Objects.Put(within(t), key, strings.NewReader("x"), 1, cloud.PutOptions{})
		require.NoError(t, err)
	}

	sweeper := newSweeper(b.Service)
	require.NoError(t, sweeper.sweep(within(t)))
	require.ElementsMatch(t, lost, announced(t, b, consumer, len(lost)))
	require.EqualValues(t, len(lost), b.counted(t, "drydock_uploads_republished_total"))
}

// TestSweepGrace: what has just arrived is given its time.
func TestSweepGrace(t *testing.T) {
	t.Parallel()
	b := start(t)
	consumer := b.announcements(t)
	_, object := b.drop(t, "ann", time.Now(), "picture")
	sweeper := newSweeper(b.Service)
	require.NoError(t, sweeper.sweep(within(t)))
	announced(t, b, consumer, 0)
	b.now = ahead(2*time.Minute + 5*time.Second)
	require.NoError(t, sweeper.sweep(within(t)))
	require.Equal(t, []string{object.Key}, announced(t, b, consumer, 1))
}

// TestSweepDeduplicates: several instances, and several sweeps of each, make
// one announcement per slot.
func TestSweepDeduplicates(t *testing.T) {
	t.Parallel()
	b := start(t)
	consumer := b.announcements(t)
	_, object := b.drop(t, "ann", time.Now(), "picture")
	at := time.Now().Truncate(slot).Add(slot + time.Minute) // well inside a slot, after the grace
	b.now = func() time.Time { return at }
	one, other := newSweeper(b.Service), newSweeper(b.Service)
	for range 3 {
		require.NoError(t, one.sweep(within(t)))
		require.NoError(t, other.sweep(within(t)))
		at = at.Add(30 * time.Second)
	}
	require.Equal(t, []string{object.Key}, announced(t, b, consumer, 1))
	require.EqualValues(t, 2, b.counted(t, "drydock_uploads_republished_total"), "once by each")
	at = at.Add(slot)
	require.NoError(t, one.sweep(within(t)))
	require.NoError(t, other.sweep(within(t)))
	require.Equal(t, []string{object.Key}, announced(t, b, consumer, 1))
}

// TestSweepWatermark: what is settled for good is never looked at again.
func TestSweepWatermark(t *testing.T) {
	t.Parallel()
	objects, records := &counting{}, &countingRecords{}
	b := start(t, func(o *Options) {
		objects.Objects, o.Objects = o.Objects, objects
		records.Records, o.Records = o.Records, records
	})
	consumer := b.announcements(t)
	const old = 40
	now := time.Now()
	b.now = ahead(3 * time.Minute)
	finish := func(id string, object cloud.ObjectInfo) {
		b.work(t, "ann", id, contract.StatusProcessed, func(doc *contract.Upload) { doc.ETag = object.ETag })
	}
	for i := range old {
		finish(b.drop(t, "ann", now.Add(-time.Hour-time.Duration(i)*time.Minute), "picture"))
	}
	stuck, object := b.drop(t, "ann", now.Add(-61*time.Minute-30*time.Second), "picture") // two are newer
	finish(b.drop(t, "ann", now, "picture"))
	finish(b.drop(t, "ann", now, "picture"))

	sweeper := newSweeper(b.Service)
	cost := func() [3]int64 {
		lists, listed, gets := objects.lists.Load(), objects.listed.Load(), records.gets.Load()
		require.NoError(t, sweeper.sweep(within(t)))
		return [3]int64{objects.lists.Load() - lists, objects.listed.Load() - listed, records.gets.Load() - gets}
	}
	require.Equal(t, [3]int64{1, old + 3, old + 3}, cost(), "the first sweep looks at all")
	require.Equal(t, [3]int64{1, 2 + 2 + 1 + 1, 2 + 2 + 1}, cost(), "later ones stop behind the oldest that is not settled")
	finish(stuck, object)
	require.Equal(t, [3]int64{1, 6, 5}, cost(), "which is settled now")
	require.Equal(t, [3]int64{1, 3, 2}, cost(), "so that only what may still arrive is looked at")
	announced(t, b, consumer, 1)

	// What arrives at the last moment is found: it was signed within the window.
	_, late := b.drop(t, "ann", now.Add(-20*time.Minute), "picture")
	require.Equal(t, [3]int64{1, 4, 3}, cost())
	require.Equal(t, []string{late.Key}, announced(t, b, consumer, 1))
}

// TestSweepFails: an owner whose sweep failed is swept in full again.
func TestSweepFails(t *testing.T) {
	t.Parallel()
	b := start(t)
	consumer := b.announcements(t)
	b.now = ahead(3 * time.Minute)
	_, object := b.drop(t, "ann", time.Now().Add(-time.Hour), "picture")
	sweeper := newSweeper(b.Service)
	working := b.options.Records
	b.options.Records = brokenRecords{working}
	require.ErrorIs(t, sweeper.sweep(within(t)), errBroken)
	b.options.Records = working
	healthy := b.options.Objects
	b.options.Objects = broken{healthy}
	require.ErrorIs(t, sweeper.sweep(within(t)), errBroken)
	b.options.Objects = healthy
	require.NoError(t, sweeper.sweep(within(t)))
	require.Equal(t, []string{object.Key}, announced(t, b, consumer, 1))
}

// TestSweepBuries what arrived after its upload was deleted.
func TestSweepBuries(t *testing.T) {
	t.Parallel()
	b := start(t)
	consumer := b.announcements(t)
	signed := b.signUpload(t, "ann", "late.png", "image/png", 4)
	b.delete(t, "ann", signed.ID, http.StatusNoContent)
	require.Less(t, sendPut(t, b, signed, "image/png", "late"), 300)
	b.vary(t, "ann", signed.ID, "small")
	b.now = ahead(3 * time.Minute)
	require.NoError(t, newSweeper(b.Service).sweep(within(t)))
	require.Empty(t, b.keys(t, ""))
	announced(t, b, consumer, 0)
}

// TestRunSweeps at once and again, beside another instance.
func TestRunSweeps(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.SweepEvery, o.SweepGrace = 10*time.Millisecond, time.Nanosecond })
	consumer := b.announcements(t)
	b.now = ahead(time.Minute) // the store's clock counts whole seconds
	next := func() string {
		delivery, err := consumer.Next(within(t))
		require.NoError(t, err)
		require.NoError(t, delivery.Ack(within(t)))
		return delivery.Event().Subject
	}
	_, first := b.drop(t, "ann", time.Now(), "picture")
	b.run(t)
	other := New(Options{Objects: b.options.Objects, Records: b.options.Records, Bus: b.options.Bus, Logger: b.options.Logger, SweepEvery: b.options.SweepEvery, SweepGrace: b.options.SweepGrace})
	other.now = b.now
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- other.Run(ctx) }()
	require.Equal(t, first.Key, next())
	_, second := b.drop(t, "ann", time.Now(), "picture")
	require.Equal(t, second.Key, next())
	cancel()
	require.NoError(t, <-done)
}

package cloudtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
)

// Records holds a provider against what cloud.Records promises. Open returns a
// fresh, empty collection.
func Records(t *testing.T, open func(t *testing.T) cloud.Records) {
	test := func(name string, run func(t *testing.T, records cloud.Records)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, open(t))
		})
	}
	gone := func(t *testing.T, records cloud.Records, key string) bool {
		_, err := records.Get(bounded(t), key)
		if err == nil {
			return false
		}
		require.ErrorIs(t, err, cloud.ErrNotFound)
		return true
	}

	test("a record goes through its life", func(t *testing.T, records cloud.Records) {
		ctx := bounded(t)
		require.True(t, gone(t, records, "demo/1"))
		first, err := records.Put(ctx, "demo/1", []byte("one"), 0, 0)
		require.NoError(t, err)
		got, err := records.Get(ctx, "demo/1")
		require.NoError(t, err)
		assert.Equal(t, cloud.Record{Key: "demo/1", Value: []byte("one"), Revision: first}, got)
		second, err := records.Put(ctx, "demo/1", []byte("two"), first, 0)
		require.NoError(t, err)
		assert.Greater(t, second, first)
		require.NoError(t, records.Delete(ctx, "demo/1"))
		require.True(t, gone(t, records, "demo/1"))
		require.NoError(t, records.Delete(ctx, "demo/1"), "deleting twice")
		_, err = records.Put(ctx, "demo/1", []byte("three"), second, 0)
		require.ErrorIs(t, err, cloud.ErrConflict, "an update of a removed record")
		_, err = records.Put(ctx, "demo/1", []byte("three"), 0, 0)
		require.NoError(t, err, "a create after a removal")
	})

	test("compare and swap", func(t *testing.T, records cloud.Records) {
		ctx := bounded(t)
		revision, err := records.Put(ctx, "a", []byte("one"), 0, 0)
		require.NoError(t, err)
		_, err = records.Put(ctx, "a", []byte("two"), 0, 0)
		require.ErrorIs(t, err, cloud.ErrExists)
		_, err = records.Put(ctx, "a", []byte("two"), revision+100, 0)
		require.ErrorIs(t, err, cloud.ErrConflict)
		_, err = records.Put(ctx, "b", []byte("two"), 1, 0)
		require.ErrorIs(t, err, cloud.ErrConflict, "an update of what never was")
	})

	test("among racers one wins each round", func(t *testing.T, records cloud.Records) {
		const racers, rounds = 8, 10
		var revision uint64
		for range rounds {
			var won atomic.Int32
			var winner atomic.Uint64
			var group sync.WaitGroup
			for i := range racers {
				group.Go(func() {
					at, err := records.Put(bounded(t), "raced", fmt.Append(nil, i), revision, 0)
					switch {
					case err == nil:
						won.Add(1)
						winner.Store(at)
					case revision == 0:
						assert.ErrorIs(t, err, cloud.ErrExists)
					default:
						assert.ErrorIs(t, err, cloud.ErrConflict)
					}
				})
			}
			group.Wait()
			require.EqualValues(t, 1, won.Load())
			revision = winner.Load()
		}
	})

	test("keys of many shapes", func(t *testing.T, records cloud.Records) {
		ctx := bounded(t)
		keys := []string{"a", "a/b", "a/b/c", "A", "with space/ünïcode 画像", "dots.and*stars>", "=2F/%2F", strings.Repeat("k", 200), "-_="}
		for i, key := range keys {
			_, err := records.Put(ctx, key, fmt.Append(nil, i), 0, 0)
			require.NoError(t, err, "key %q", key)
		}
		found := map[string]string{}
		for record, err := range records.List(ctx, "") {
			require.NoError(t, err)
			found[record.Key] = string(record.Value)
		}
		assert.Len(t, found, len(keys))
		for i, key := range keys {
			assert.Equal(t, fmt.Sprint(i), found[key], "key %q", key)
		}
		for _, key := range []string{"", "/", "a/", "/a", "a//b", "a\x00b", "a\nb", string([]byte{0xff}), strings.Repeat("k", 201), strings.Repeat("k/", 300) + "k"} {
			_, err := records.Put(ctx, key, nil, 0, 0)
			assert.ErrorIs(t, err, cloud.ErrInvalid, "key %q", key)
			_, err = records.Get(ctx, key)
			assert.ErrorIs(t, err, cloud.ErrInvalid, "key %q", key)
		}
		_, err := records.Put(ctx, "large", make([]byte, 256<<10), 0, 0)
		require.NoError(t, err)
		_, err = records.Put(ctx, "larger", make([]byte, 256<<10+1), 0, 0)
		require.ErrorIs(t, err, cloud.ErrInvalid)
	})

	test("a list holds what is below its prefix", func(t *testing.T, records cloud.Records) {
		ctx := bounded(t)
		for _, key := range []string{"ann/1", "ann/2", "annabel/1", "bob/1"} {
			_, err := records.Put(ctx, key, []byte(key), 0, 0)
			require.NoError(t, err)
		}
		require.NoError(t, records.Delete(ctx, "ann/2"))
		list := func(prefix string) (keys []string) {
			for record, err := range records.List(ctx, prefix) {
				require.NoError(t, err)
				keys = append(keys, record.Key)
			}
			return keys
		}
		assert.ElementsMatch(t, []string{"ann/1"}, list("ann"))
		assert.ElementsMatch(t, []string{"ann/1", "annabel/1", "bob/1"}, list(""))
		assert.Empty(t, list("nobody"))
		for range records.List(ctx, "") { // leaving early is allowed
			break
		}
	})

	test("a list has each record once while they are written", func(t *testing.T, records cloud.Records) {
		const keys, writers, lists = 24, 4, 300
		writing, stop := context.WithCancel(bounded(t))
		defer stop()
		revisions := make([]uint64, keys)
		put := func(i int) (err error) {
			revisions[i], err = records.Put(bounded(t), fmt.Sprint("ann/", i), nil, revisions[i], 0)
			return err
		}
		for i := range keys {
			require.NoError(t, put(i))
		}
		var group sync.WaitGroup
		defer group.Wait()
		defer stop()
		for w := range writers {
			group.Go(func() {
				for i := w; writing.Err() == nil; i = (i + writers) % keys {
					if !assert.NoError(t, put(i)) {
						return
					}
				}
			})
		}
		for range lists {
			seen := map[string]int{}
			for record, err := range records.List(bounded(t), "ann") {
				require.NoError(t, err)
				seen[record.Key]++
			}
			require.Len(t, seen, keys)
			for key, times := range seen {
				require.Equal(t, 1, times, key)
			}
		}
	})

	test("a record expires", func(t *testing.T, records cloud.Records) {
		ctx := bounded(t)
		revision, err := records.Put(ctx, "short", []byte("x"), 0, time.Second)
		require.NoError(t, err)
		_, err = records.Put(ctx, "updated", []byte("x"), 0, 0)
		require.NoError(t, err)
		got, err := records.Get(ctx, "updated")
		require.NoError(t, err)
		_, err = records.Put(ctx, "updated", []byte("y"), got.Revision, time.Second)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return gone(t, records, "short") && gone(t, records, "updated") }, limit, 50*time.Millisecond)
		_, err = records.Put(ctx, "short", []byte("again"), revision, 0)
		require.ErrorIs(t, err, cloud.ErrConflict)
		_, err = records.Put(ctx, "short", []byte("again"), 0, 0)
		require.NoError(t, err)
		_, err = records.Put(ctx, "never", nil, 0, time.Millisecond)
		require.ErrorIs(t, err, cloud.ErrInvalid)
	})

	test("a watch sees what is there and what comes", func(t *testing.T, records cloud.Records) {
		ctx, cancel := context.WithCancel(bounded(t))
		defer cancel()
		_, err := records.Put(ctx, "ann/1", []byte("old"), 0, 0)
		require.NoError(t, err)
		_, err = records.Put(ctx, "bob/1", []byte("other"), 0, 0)
		require.NoError(t, err)
		changes := make(chan cloud.Change)
		var group sync.WaitGroup
		group.Go(func() {
			for change, err := range records.Watch(ctx, "ann") {
				assert.NoError(t, err)
				changes <- change
			}
		})
		take := func() cloud.Change {
			select {
			case change := <-changes:
				return change
			case <-ctx.Done():
				t.Fatal("no change came")
				return cloud.Change{}
			}
		}
		assert.Equal(t, "old", string(take().Value))
		revision, err := records.Put(ctx, "ann/2", []byte("new"), 0, 0)
		require.NoError(t, err)
		change := take()
		assert.Equal(t, cloud.Change{Record: cloud.Record{Key: "ann/2", Value: []byte("new"), Revision: revision}}, change)
		require.NoError(t, records.Delete(ctx, "ann/2"))
		change = take()
		assert.True(t, change.Deleted)
		assert.Equal(t, "ann/2", change.Key)
		_, err = records.Put(ctx, "ann/3", []byte("short"), 0, time.Second)
		require.NoError(t, err)
		assert.Equal(t, "ann/3", take().Key)
		change = take()
		assert.True(t, change.Deleted, "expiry is seen")
		assert.Equal(t, "ann/3", change.Key)
		cancel()
		group.Wait()
	})
}

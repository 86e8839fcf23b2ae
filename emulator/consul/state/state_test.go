package state

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// put writes a key with the index of the change.
func put(t *testing.T, s *Store, key, value string) {
	t.Helper()
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.Insert(TableKeys, &Key{Key: key, Value: []byte(value), ModifyIndex: tx.ChangeIndex()})
		return nil
	}))
}

func find(s *Store, key string) *Key { return First[Key](s.View(), TableKeys, "id", key) }

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := New()
	require.NoError(t, err)
	return s
}

func TestAWriteIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s, "a", "1")
	failed := os.ErrInvalid
	err := s.Write(func(tx *Tx) error {
		tx.Insert(TableKeys, &Key{Key: "b"})
		return failed
	})
	assert.ErrorIs(t, err, failed)
	assert.Nil(t, find(s, "b"))
	assert.EqualValues(t, 1, s.View().LastIndex())
	assert.EqualValues(t, 1, s.View().Index(TableKeys))
}

func TestAViewIsOfOneMoment(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s, "a", "1")
	before := s.View()
	put(t, s, "a", "2")
	assert.Equal(t, "1", string(First[Key](before, TableKeys, "id", "a").Value))
	assert.Equal(t, "2", string(find(s, "a").Value))
}

func TestWatchWakesForWhatWasReadAndForNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		put(t, s, "watched", "1")
		put(t, s, "other", "1")
		reads := 0
		done := make(chan error)
		go func() {
			done <- s.Watch(t.Context(), func(v *View) bool {
				reads++
				return string(First[Key](v, TableKeys, "id", "watched").Value) == "2"
			})
		}()
		synctest.Wait()
		put(t, s, "other", "2")
		synctest.Wait()
		assert.Equal(t, 1, reads)
		put(t, s, "watched", "2")
		require.NoError(t, <-done)
		assert.Equal(t, 2, reads)
	})
}

func TestWatchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := s.Watch(ctx, func(v *View) bool {
			First[Key](v, TableKeys, "id", "none")
			return false
		})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestTheJournalBringsEverythingBack(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "folder", "dc1.journal")
	s, err := Open(file)
	require.NoError(t, err)
	put(t, s, "a", "1")
	put(t, s, "a", "2")
	put(t, s, "gone", "1")
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.Delete(TableKeys, First[Key](&tx.View, TableKeys, "id", "gone"))
		return nil
	}))
	// No Close: as after a kill.
	for range 2 { // the second opens what the first has written anew
		again, err := Open(file)
		require.NoError(t, err)
		assert.Equal(t, "2", string(find(again, "a").Value))
		assert.Nil(t, find(again, "gone"))
		assert.EqualValues(t, 4, again.View().LastIndex())
		assert.EqualValues(t, 4, again.View().Index(TableKeys))
		require.NoError(t, again.Close())
	}
	require.NoError(t, s.Close())
}

func TestALineThatWasCutShortIsDropped(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "dc1.journal")
	s, err := Open(file)
	require.NoError(t, err)
	put(t, s, "a", "1")
	put(t, s, "b", "1")
	require.NoError(t, s.Close())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text[:len(text)-3], 0o600))

	s, err = Open(file)
	require.NoError(t, err)
	assert.NotNil(t, find(s, "a"))
	assert.Nil(t, find(s, "b"))
	put(t, s, "c", "1") // goes on a line of its own
	require.NoError(t, s.Close())
	s, err = Open(file)
	require.NoError(t, err)
	assert.NotNil(t, find(s, "c"))
	require.NoError(t, s.Close())
}

func TestADamagedJournalIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON":          "{\n",
		"an unknown table": `[{"t":"nothing","r":{}}]` + "\n",
		"another type":     `[{"t":"keys","r":{"Key":1}}]` + "\n",
	} {
		file := filepath.Join(t.TempDir(), "dc1.journal")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := Open(file)
		assert.ErrorContains(t, err, file, name)
		kept, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, text, string(kept), "it is left as it was")
	}
}

func TestTheJournalDoesNotGrowForEver(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "dc1.journal")
	s, err := Open(file)
	require.NoError(t, err)
	large := strings.Repeat("x", 300_000)
	for range 40 {
		put(t, s, "a", large)
	}
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(compactFrom+4*400_000))
	require.NoError(t, s.Close())
	s, err = Open(file)
	require.NoError(t, err)
	assert.Equal(t, large, string(find(s, "a").Value))
	require.NoError(t, s.Close())
}

func TestASnapshotIsRestored(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s, "a", "1")
	var archive bytes.Buffer
	index, err := s.Snapshot(&archive)
	require.NoError(t, err)
	assert.EqualValues(t, 1, index)
	for range 9 {
		put(t, s, "b", "1")
	}

	woken := make(chan error)
	started := make(chan struct{}, 2)
	go func() {
		woken <- s.Watch(t.Context(), func(v *View) bool {
			started <- struct{}{}
			return First[Key](v, TableKeys, "id", "b") == nil
		})
	}()
	<-started
	require.NoError(t, s.Restore(&archive))
	require.NoError(t, <-woken)
	assert.NotNil(t, find(s, "a"))
	assert.Greater(t, s.View().Index(TableKeys), uint64(10), "an index never goes back")
}

func TestABrokenSnapshotChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s, "a", "1")
	for _, text := range []string{"nonsense\n", `[{"t":"keys","r":{"Key":"b"}}]`, `[{"t":"none","r":{}}]` + "\n"} {
		assert.Error(t, s.Restore(strings.NewReader(text)), text)
		assert.NotNil(t, find(s, "a"), text)
		assert.EqualValues(t, 1, s.View().LastIndex(), text)
	}
}

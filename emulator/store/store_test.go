package store

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tableKeys has the rows of these tests.
const tableKeys = "keys"

type key struct {
	Key         string
	Value       []byte
	Parts       []string
	ModifyIndex uint64
}

func keys() Schema {
	return Schema{tableKeys: Rows[key](
		Unique("id", Field("Key")),
		Many("value", By(func(k *key) []string {
			if len(k.Value) == 0 {
				return nil
			}
			return []string{string(k.Value), k.Key}
		})),
		Many("parts", Each(func(k *key) []string { return k.Parts })),
		Many("folded", Both(Folded("Key"))),
	)}
}

// put writes a key with the index of the change.
func put(t *testing.T, s *Store, name, value string) {
	t.Helper()
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.Insert(tableKeys, &key{Key: name, Value: []byte(value), ModifyIndex: tx.ChangeIndex()})
		return nil
	}))
}

func find(s *Store, name string) *key { return First[key](s.View(), tableKeys, "id", name) }

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := New(keys())
	require.NoError(t, err)
	return s
}

func TestAWriteIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s, "a", "1")
	failed := os.ErrInvalid
	err := s.Write(func(tx *Tx) error {
		tx.Insert(tableKeys, &key{Key: "b"})
		return failed
	})
	assert.ErrorIs(t, err, failed)
	assert.Nil(t, find(s, "b"))
	assert.EqualValues(t, 1, s.View().LastIndex())
	assert.EqualValues(t, 1, s.View().Index(tableKeys))
}

func TestAViewIsOfOneMoment(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s, "a", "1")
	before := s.View()
	put(t, s, "a", "2")
	assert.Equal(t, "1", string(First[key](before, tableKeys, "id", "a").Value))
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
				return string(First[key](v, tableKeys, "id", "watched").Value) == "2"
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
			First[key](v, tableKeys, "id", "none")
			return false
		})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestTheJournalBringsEverythingBack(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "folder", "dc1.journal")
	s, err := Open(file, keys())
	require.NoError(t, err)
	put(t, s, "a", "1")
	put(t, s, "a", "2")
	put(t, s, "gone", "1")
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.Delete(tableKeys, First[key](tx.Reader(), tableKeys, "id", "gone"))
		return nil
	}))
	// No Close: as after a kill.
	for range 2 { // the second opens what the first has written anew
		again, err := Open(file, keys())
		require.NoError(t, err)
		assert.Equal(t, "2", string(find(again, "a").Value))
		assert.Nil(t, find(again, "gone"))
		assert.EqualValues(t, 4, again.View().LastIndex())
		assert.EqualValues(t, 4, again.View().Index(tableKeys))
		require.NoError(t, again.Close())
	}
	require.NoError(t, s.Close())
}

func TestALineThatWasCutShortIsDropped(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "dc1.journal")
	s, err := Open(file, keys())
	require.NoError(t, err)
	put(t, s, "a", "1")
	put(t, s, "b", "1")
	require.NoError(t, s.Close())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text[:len(text)-3], 0o600))

	s, err = Open(file, keys())
	require.NoError(t, err)
	assert.NotNil(t, find(s, "a"))
	assert.Nil(t, find(s, "b"))
	put(t, s, "c", "1") // goes on a line of its own
	require.NoError(t, s.Close())
	s, err = Open(file, keys())
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
		_, err := Open(file, keys())
		assert.ErrorContains(t, err, file, name)
		kept, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, text, string(kept), "it is left as it was")
	}
}

func TestTheJournalDoesNotGrowForEver(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "dc1.journal")
	s, err := Open(file, keys())
	require.NoError(t, err)
	large := strings.Repeat("x", 300_000)
	for range 40 {
		put(t, s, "a", large)
	}
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(compactFrom+4*400_000))
	require.NoError(t, s.Close())
	s, err = Open(file, keys())
	require.NoError(t, err)
	assert.Equal(t, large, string(find(s, "a").Value))
	require.NoError(t, s.Close())
}

func restore(s *Store, from io.Reader) error {
	return s.Write(func(tx *Tx) error { return tx.Restore(from, []string{tableKeys}) })
}

func TestASnapshotIsRestored(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s, "a", "1")
	var archive bytes.Buffer
	index, err := s.Snapshot(&archive, []string{tableKeys})
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
			return First[key](v, tableKeys, "id", "b") == nil
		})
	}()
	<-started
	require.NoError(t, restore(s, &archive))
	require.NoError(t, <-woken)
	assert.NotNil(t, find(s, "a"))
	assert.Greater(t, s.View().Index(tableKeys), uint64(10), "an index never goes back")
	assert.Equal(t, s.View().LastIndex(), s.View().RestoredIndex())
}

func TestABrokenSnapshotChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s, "a", "1")
	for _, text := range []string{"nonsense\n", `[{"t":"keys","r":{"Key":"b"}}]`, `[{"t":"none","r":{}}]` + "\n"} {
		assert.Error(t, restore(s, strings.NewReader(text)), text)
		assert.NotNil(t, find(s, "a"), text)
		assert.EqualValues(t, 1, s.View().LastIndex(), text)
	}
}

func TestARestoredStateSurvivesARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "journal")
	s, err := Open(file, keys())
	require.NoError(t, err)
	put(t, s, "a", "1")
	var saved bytes.Buffer
	_, err = s.Snapshot(&saved, []string{tableKeys})
	require.NoError(t, err)
	put(t, s, "later", "1")
	require.NoError(t, restore(s, &saved))
	last := s.View().LastIndex()
	require.NoError(t, s.Close())
	s, err = Open(file, keys())
	require.NoError(t, err)
	assert.NotNil(t, find(s, "a"))
	assert.Nil(t, find(s, "later"))
	assert.Equal(t, last, s.View().LastIndex())
	require.NoError(t, s.Close())
}

func TestCommitsAreObserved(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var commits []Commit
	s.Observe(func(c Commit) { commits = append(commits, c) })
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.About("the first")
		tx.Insert(tableKeys, &key{Key: "a", Value: []byte("1")})
		tx.Insert(tableKeys, &key{Key: "a", Value: []byte("2")})
		tx.Insert(tableKeys, &key{Key: "b"})
		return nil
	}))
	var saved bytes.Buffer
	_, err := s.Snapshot(&saved, []string{tableKeys})
	require.NoError(t, err)
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.Delete(tableKeys, First[key](tx.Reader(), tableKeys, "id", "b"))
		return nil
	}))
	assert.ErrorIs(t, s.Write(func(*Tx) error { return os.ErrInvalid }), os.ErrInvalid)
	require.NoError(t, restore(s, &saved))
	require.Len(t, commits, 3)
	assert.Equal(t, "the first", commits[0].Cause)
	require.Len(t, commits[0].Changes, 2, "a row that is written twice has one change")
	assert.Equal(t, "2", string(commits[0].Changes[0].After.(*key).Value))
	assert.Nil(t, commits[0].Changes[0].Before)
	assert.Nil(t, commits[1].Changes[0].After)
	assert.False(t, commits[1].Restored)
	assert.True(t, commits[2].Restored)
	assert.EqualValues(t, 2, commits[1].Index)
}

func TestRowsAreFoundByTheirIndexes(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.Insert(tableKeys, &key{Key: "One", Value: []byte("x"), Parts: []string{"p", "q"}})
		tx.Insert(tableKeys, &key{Key: "Two", Value: []byte("x"), Parts: []string{"q"}})
		tx.Insert(tableKeys, &key{Key: "Three"})
		return nil
	}))
	for _, test := range []struct {
		index string
		args  []any
		want  []string
	}{
		{"id", nil, []string{"One", "Three", "Two"}},
		{"id_prefix", []any{"T"}, []string{"Three", "Two"}},
		{"folded", []any{"ONE"}, []string{"One"}},
		{"value_prefix", []any{"x", ""}, []string{"One", "Two"}},
		{"value_prefix", []any{"x", "T"}, []string{"Two"}},
		{"value", []any{"x", "One"}, []string{"One"}},
		{"parts", []any{"q"}, []string{"One", "Two"}},
		{"parts", []any{"p"}, []string{"One"}},
	} {
		names := []string{}
		for row := range All[key](s.View(), tableKeys, test.index, test.args...) {
			names = append(names, row.Key)
		}
		assert.Equal(t, test.want, names, "%s %v", test.index, test.args)
	}
	var backward []string
	for row := range Backward[key](s.View(), tableKeys, "id") {
		backward = append(backward, row.Key)
	}
	assert.Equal(t, []string{"Two", "Three", "One"}, backward)
	assert.Equal(t, []*key{}, Collect[key](s.View(), tableKeys, "id", "none"))
	assert.Panics(t, func() { First[key](s.View(), tableKeys, "value", 1) }, "a number is no text")
}

func TestMarksAreOfTheirChanges(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s, "a", "1")
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.Mark("a part")
		tx.MarkAt("the past", 1)
		return nil
	}))
	view := s.View()
	assert.EqualValues(t, 2, view.Index("a part"))
	assert.EqualValues(t, 1, view.Index("the past", tableKeys))
	assert.EqualValues(t, 2, view.LastIndex())
	assert.Zero(t, view.Index("nothing"))
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.Unmark("a part")
		tx.Unmark("nothing")
		return nil
	}))
	assert.Zero(t, s.View().Index("a part"))
}

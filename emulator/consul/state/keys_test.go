package state

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drydock/drydock/emulator/store"
)

// keyModel is a plain map that does what the store should do, and what was
// last answered about each prefix.
type keyModel struct {
	store  *Store
	now    time.Time
	values map[string]string
	seen   map[string]uint64
	told   map[string]string // what was below the prefix then
}

var modelPrefixes = []string{"a", "a/", "a/b", "a/b/", "b", "c/"}

func newKeyModel(t *rapid.T) *keyModel {
	made, err := New()
	require.NoError(t, err)
	m := &keyModel{
		store: made, now: time.Unix(0, 0),
		values: map[string]string{}, seen: map[string]uint64{}, told: map[string]string{},
	}
	made.store.UseClock(func() time.Time { return m.now })
	m.write(t, func(tx *Tx) { tx.SetKey(Key{Key: "first"}) }) // before it, all indexes are 1
	m.values["first"] = ""
	return m
}

func (m *keyModel) write(t *rapid.T, change func(*Tx)) {
	require.NoError(t, m.store.Write(func(tx *Tx) error {
		change(tx)
		return nil
	}))
}

func drawKey(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "a/b", "a/b/c", "a/d", "ab", "b", "b/c", "other"}).Draw(t, "key")
}

func (m *keyModel) Set(t *rapid.T) {
	key, value := drawKey(t), rapid.SampledFrom([]string{"1", "2", ""}).Draw(t, "value")
	m.write(t, func(tx *Tx) { tx.SetKey(Key{Key: key, Value: []byte(value)}) })
	m.values[key] = value
}

func (m *keyModel) CompareAndSet(t *rapid.T) {
	key, right := drawKey(t), rapid.Bool().Draw(t, "right")
	entry, _ := m.store.View().Key(key)
	index := uint64(0)
	if entry != nil {
		index = entry.ModifyIndex
	}
	if !right {
		index += 1000000
	}
	m.write(t, func(tx *Tx) {
		_, written := tx.CompareAndSetKey(Key{Key: key, Value: []byte("cas")}, index)
		assert.Equal(t, right, written)
	})
	if right {
		m.values[key] = "cas"
	}
}

func (m *keyModel) Delete(t *rapid.T) {
	key := drawKey(t)
	m.write(t, func(tx *Tx) { tx.DeleteKey(key) })
	delete(m.values, key)
}

func (m *keyModel) DeleteTree(t *rapid.T) {
	prefix := rapid.SampledFrom(modelPrefixes).Draw(t, "prefix")
	m.write(t, func(tx *Tx) { tx.DeleteKeys(prefix) })
	maps.DeleteFunc(m.values, func(key, _ string) bool { return strings.HasPrefix(key, prefix) })
}

func (m *keyModel) TimePasses(*rapid.T) { m.now = m.now.Add(tombstoneAge / 2) }

// Check holds what the store answers against the model: the same entries, an
// index that never goes back, and one that is higher when something has changed.
func (m *keyModel) Check(t *rapid.T) {
	view := m.store.View()
	for _, prefix := range append(modelPrefixes, "") {
		entries, index := view.Keys(prefix)
		var stored, want strings.Builder
		for _, entry := range entries {
			stored.WriteString(entry.Key + "=" + string(entry.Value) + "\n")
		}
		for _, key := range slices.Sorted(maps.Keys(m.values)) {
			if strings.HasPrefix(key, prefix) {
				want.WriteString(key + "=" + m.values[key] + "\n")
			}
		}
		require.Equal(t, want.String(), stored.String(), prefix)
		require.GreaterOrEqual(t, index, m.seen[prefix], "the index below %q has gone back", prefix)
		if told, ok := m.told[prefix]; ok && told != stored.String() {
			require.Greater(t, index, m.seen[prefix], "a change below %q does not show", prefix)
		}
		m.seen[prefix], m.told[prefix] = index, stored.String()
	}
}

func TestKeysAreAMapWhoseIndexesOnlyGrow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { t.Repeat(rapid.StateMachineActions(newKeyModel(t))) })
}

func TestTheIndexOfAPrefixIsOfNothingElse(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	require.NoError(t, s.Write(func(tx *Tx) error { tx.SetKey(Key{Key: "a/1"}); tx.SetKey(Key{Key: "a/2"}); return nil }))
	require.NoError(t, s.Write(func(tx *Tx) error { tx.DeleteKey("a/1"); return nil }))
	require.NoError(t, s.Write(func(tx *Tx) error { tx.SetKey(Key{Key: "b"}); return nil }))
	_, index := s.View().Keys("a/")
	assert.EqualValues(t, 2, index)
	_, index = s.View().Keys("")
	assert.EqualValues(t, 3, index)
}

func TestOldTombstonesAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		for _, key := range []string{"a/1", "a/2", "a/3"} {
			require.NoError(t, s.Write(func(tx *Tx) error { tx.SetKey(Key{Key: key}); return nil }))
		}
		require.NoError(t, s.Write(func(tx *Tx) error { tx.DeleteKey("a/1"); return nil }))
		_, before := s.View().Keys("a/")
		time.Sleep(tombstoneAge)
		require.NoError(t, s.Write(func(tx *Tx) error { tx.SetKey(Key{Key: "b"}); tx.DeleteKey("b"); return nil }))
		assert.Len(t, store.Collect[tombstone](s.View(), tableTombstones, "id"), 1)
		_, after := s.View().Keys("a/")
		assert.Equal(t, before, after)
	})
}

func TestAnEntryIsWrittenOnlyWhenItChanges(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for range 2 {
		require.NoError(t, s.Write(func(tx *Tx) error { tx.SetKey(Key{Key: "a", Flags: 1, Value: []byte("v")}); return nil }))
	}
	entry, index := s.View().Key("a")
	assert.EqualValues(t, 1, index)
	assert.Equal(t, &Key{Key: "a", Flags: 1, Value: []byte("v"), CreateIndex: 1, ModifyIndex: 1}, entry)
}

package state

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/store"
)

// sessionStore is a store with the node n, a passing check c and a session s
// that rests on it and holds the key held.
func sessionStore(t *testing.T, session Session) *Store {
	t.Helper()
	s := newStore(t)
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.PutNode(Node{Node: "n"})
		require.NoError(t, tx.PutCheck(Check{Node: "n", CheckID: "c", Status: api.HealthPassing}))
		require.NoError(t, tx.CreateSession(session))
		require.NoError(t, tx.CreateSession(Session{ID: "other", Node: "n"}))
		_, locked, err := tx.LockKey(Key{Key: "held", Value: []byte("v"), Session: session.ID})
		assert.True(t, locked)
		return err
	}))
	return s
}

// lock tries to lock the key held with the session other.
func lock(t *testing.T, s *Store) (locked bool, err error) {
	t.Helper()
	err = s.Write(func(tx *Tx) (err error) {
		_, locked, err = tx.LockKey(Key{Key: "held", Session: "other"})
		return err
	})
	return locked, err
}

func TestASessionEndsWithWhatItRestsOn(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*Tx) error{
		"itself":            func(tx *Tx) error { tx.EndSession("s"); return nil },
		"its node":          func(tx *Tx) error { tx.DeleteNode("N"); return nil },
		"its check":         func(tx *Tx) error { tx.DeleteCheck("n", "c"); return nil },
		"its check's state": func(tx *Tx) error { return tx.PutCheck(Check{Node: "n", CheckID: "c"}) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sessionStore(t, Session{ID: "s", Node: "n", NodeChecks: []string{"c"}})
			require.NoError(t, s.Write(end))
			assert.Nil(t, s.View().Session("s"))
			held, index := s.View().Key("held")
			assert.Equal(t, &Key{Key: "held", Value: []byte("v"), LockIndex: 1, CreateIndex: 1, ModifyIndex: 2}, held)
			assert.EqualValues(t, 2, index)
		})
	}
}

func TestASessionMayDeleteItsKeys(t *testing.T) {
	t.Parallel()
	s := sessionStore(t, Session{ID: "s", Node: "n", Behavior: api.SessionBehaviorDelete})
	require.NoError(t, s.Write(func(tx *Tx) error { tx.EndSession("s"); return nil }))
	held, _ := s.View().Key("held")
	assert.Nil(t, held)
}

func TestTheLockDelayKeepsAKeyLocked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sessionStore(t, Session{ID: "s", Node: "n", LockDelay: 2 * time.Minute})
		locked, err := lock(t, s)
		require.NoError(t, err)
		assert.False(t, locked, "another session holds it")

		require.NoError(t, s.Write(func(tx *Tx) error { tx.EndSession("s"); return nil }))
		time.Sleep(maximumLockDelay - 1)
		var delayed *LockDelayError
		_, err = lock(t, s)
		require.ErrorAs(t, err, &delayed)
		assert.Equal(t, "held", delayed.Key)

		time.Sleep(time.Nanosecond)
		locked, err = lock(t, s)
		require.NoError(t, err)
		assert.True(t, locked)
		held, _ := s.View().Key("held")
		assert.EqualValues(t, 2, held.LockIndex)
	})
}

func TestALockDelayThatIsOverIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sessionStore(t, Session{ID: "s", Node: "n", LockDelay: time.Second})
		require.NoError(t, s.Write(func(tx *Tx) error { tx.EndSession("s"); return nil }))
		time.Sleep(time.Second)
		_, err := lock(t, s)
		require.NoError(t, err)
		require.NoError(t, s.Write(func(tx *Tx) error { tx.EndSession("other"); return nil }))
		assert.Empty(t, store.Collect[lockDelay](s.View(), tableLockDelays, "id"))
	})
}

func TestASessionNeedsItsNodeAndChecks(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.PutNode(Node{Node: "n"})
		return tx.PutCheck(Check{Node: "n", CheckID: "critical"})
	}))
	create := func(session Session) error {
		return s.Write(func(tx *Tx) error { return tx.CreateSession(session) })
	}
	var noNode *NoNodeError
	assert.ErrorAs(t, create(Session{ID: "s", Node: "none"}), &noNode)
	var noCheck *NoCheckError
	assert.ErrorAs(t, create(Session{ID: "s", Node: "n", NodeChecks: []string{"none"}}), &noCheck)
	var critical *CriticalCheckError
	assert.ErrorAs(t, create(Session{ID: "s", Node: "n", ServiceChecks: []api.ServiceCheck{{ID: "critical"}}}), &critical)
	assert.NoError(t, create(Session{ID: "s", Node: "n"}))
}

func TestOnlyItsHolderReleasesAKey(t *testing.T) {
	t.Parallel()
	s := sessionStore(t, Session{ID: "s", Node: "n"})
	unlock := func(session string) (done bool, err error) {
		err = s.Write(func(tx *Tx) (err error) {
			_, done, err = tx.UnlockKey(Key{Key: "held", Value: []byte("new"), Session: session})
			return err
		})
		return done, err
	}
	done, err := unlock("other")
	require.NoError(t, err)
	assert.False(t, done)
	var missing *NoSessionError
	_, err = unlock("")
	assert.ErrorAs(t, err, &missing)
	done, err = unlock("s")
	require.NoError(t, err)
	assert.True(t, done)
	held, _ := s.View().Key("held")
	assert.Equal(t, &Key{Key: "held", Value: []byte("new"), LockIndex: 1, CreateIndex: 1, ModifyIndex: 2}, held)
}

package consul

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lockWait is how long these tests wait for what should come at once.
const lockWait = 10 * time.Second

func newLock(t *testing.T, client *api.Client) *api.Lock {
	t.Helper()
	lock, err := client.LockOpts(&api.LockOptions{Key: "test/lock", SessionOpts: quickSession()})
	require.NoError(t, err)
	return lock
}

// quickSession is a session that delays no lock.
func quickSession() *api.SessionEntry {
	return &api.SessionEntry{TTL: "15s", LockDelay: time.Millisecond}
}

// held acquires a lock and returns what is closed when it is lost.
func held(t *testing.T, acquire func(<-chan struct{}) (<-chan struct{}, error)) <-chan struct{} {
	t.Helper()
	lost, err := acquire(nil)
	require.NoError(t, err)
	require.NotNil(t, lost)
	return lost
}

func assertLost(t *testing.T, lost <-chan struct{}) {
	t.Helper()
	select {
	case <-lost:
	case <-time.After(lockWait):
		assert.Fail(t, "the holder does not learn that it has lost the lock")
	}
}

func TestALockIsHeldUntilItIsReleasedOrLost(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*api.Client, *api.Lock, string) error{
		"released": func(_ *api.Client, l *api.Lock, _ string) error { return l.Unlock() },
		"its session is destroyed": func(c *api.Client, _ *api.Lock, session string) error {
			_, err := c.Session().Destroy(session, nil)
			return err
		},
		"its key is deleted": func(c *api.Client, _ *api.Lock, _ string) error {
			_, err := c.KV().Delete("test/lock", nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, Options{})
			client := officialClient(t, c)
			lock := newLock(t, client)
			lost := held(t, lock.Lock)
			_, err := lock.Lock(nil)
			require.ErrorIs(t, err, api.ErrLockHeld)
			pair, _, err := client.KV().Get("test/lock", nil)
			require.NoError(t, err)
			select {
			case <-lost:
				require.Fail(t, "the lock is lost before anything has happened")
			default:
			}
			require.NoError(t, lose(client, lock, pair.Session))
			assertLost(t, lost)
			_ = lock.Unlock() // ends the renewing of its session
		})
	}
}

func TestOneOfManyHoldsALock(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	var holders, acquired atomic.Int32
	var all sync.WaitGroup
	for range 3 {
		client := officialClient(t, c)
		all.Go(func() {
			lock := newLock(t, client)
			lost, err := lock.Lock(nil)
			assert.NoError(t, err)
			assert.NotNil(t, lost)
			assert.EqualValues(t, 1, holders.Add(1))
			acquired.Add(1)
			holders.Add(-1)
			assert.NoError(t, lock.Unlock())
		})
	}
	all.Wait()
	assert.EqualValues(t, 3, acquired.Load())
}

func TestASemaphoreHasSlots(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	client := officialClient(t, c)
	newSemaphore := func(wait time.Duration) *api.Semaphore {
		id, _, err := client.Session().CreateNoChecks(quickSession(), nil)
		require.NoError(t, err)
		s, err := client.SemaphoreOpts(&api.SemaphoreOptions{
			Prefix: "test/semaphore", Limit: 2, Session: id, SemaphoreTryOnce: wait > 0, SemaphoreWaitTime: wait,
		})
		require.NoError(t, err)
		return s
	}
	first, second := newSemaphore(0), newSemaphore(0)
	held(t, first.Acquire)
	lost := held(t, second.Acquire)
	third := newSemaphore(10 * time.Millisecond)
	got, err := third.Acquire(nil)
	require.NoError(t, err)
	assert.Nil(t, got, "a third holder of two slots")
	require.NoError(t, second.Release())
	assertLost(t, lost)
	held(t, third.Acquire)
	assert.ErrorIs(t, first.Destroy(), api.ErrSemaphoreHeld)
	require.NoError(t, first.Release())
	require.NoError(t, third.Release())
	assert.NoError(t, first.Destroy())
}

package filelock_test

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/host/filelock"
)

func TestALockIsHeldOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := filelock.Take(path)
	require.NoError(t, err)
	_, err = filelock.Take(path)
	require.ErrorIs(t, err, filelock.ErrHeld)
	lock.Release()
	assert.NoFileExists(t, path)
	lock, err = filelock.Take(path)
	require.NoError(t, err)
	lock.Release()
	_, err = filelock.Take(filepath.Join(path, "no such folder"))
	require.Error(t, err)
}

func TestOfManyOneHoldsTheLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	var holders atomic.Int32
	var taking sync.WaitGroup
	for range 8 {
		taking.Go(func() {
			for range 200 {
				lock, err := filelock.Take(path)
				if err != nil {
					assert.ErrorIs(t, err, filelock.ErrHeld)
					continue
				}
				assert.EqualValues(t, 1, holders.Add(1))
				holders.Add(-1)
				lock.Release()
			}
		})
	}
	taking.Wait()
}

func TestAPortIsTakenForOneUse(t *testing.T) {
	t.Parallel()
	const number = 70_000 // of nobody
	lock, err := filelock.TakePort("test", number)
	require.NoError(t, err)
	defer lock.Release()
	_, err = filelock.TakePort("test", number)
	require.ErrorIs(t, err, filelock.ErrHeld)
	other, err := filelock.TakePort("other", number)
	require.NoError(t, err)
	other.Release()
}

package ports_test

import (
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/host/filelock"
	"github.com/drydock/drydock/host/ports"
)

func TestWhoHasAPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	holder, taken, err := ports.Taken(port)
	require.NoError(t, err)
	assert.True(t, taken)
	if runtime.GOOS == "linux" {
		assert.Equal(t, os.Getpid(), holder.PID)
		assert.Regexp(t, `^ports\.test \(pid \d+\)$`, holder.String())
	}
	assert.Equal(t, "another program", ports.Holder{}.String())

	require.NoError(t, listener.Close())
	_, taken, err = ports.Taken(port)
	require.NoError(t, err)
	assert.False(t, taken)
}

func TestAFreePortIsKeptFromOthers(t *testing.T) {
	t.Parallel()
	port, lock, err := ports.Free()
	require.NoError(t, err)
	defer lock.Release()
	_, taken, err := ports.Taken(port)
	require.NoError(t, err)
	assert.False(t, taken)
	_, err = filelock.TakePort("part", port)
	require.ErrorIs(t, err, filelock.ErrHeld)
}

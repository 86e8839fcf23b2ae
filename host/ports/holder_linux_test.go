package ports

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPortHolder(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	for address, ours := range map[string]bool{"127.0.0.1:0": true, "0.0.0.0:0": true, "[::]:0": true, "127.0.0.77:0": false} {
		socket, err := net.Listen("tcp", address)
		require.NoError(t, err)
		defer socket.Close()
		pid, name, ok := holder(socket.Addr().(*net.TCPAddr).Port)
		if !ours {
			assert.NotEqual(t, os.Getpid(), pid, address)
			continue
		}
		assert.True(t, ok, address)
		assert.Equal(t, os.Getpid(), pid, address)
		assert.Equal(t, filepath.Base(program), name, address)
	}
	_, _, ok := holder(1)
	assert.False(t, ok)
}

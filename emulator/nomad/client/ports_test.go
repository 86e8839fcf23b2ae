package client

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func listen(t *testing.T, address string) int {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func TestPortHolder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("this system does not tell who holds a port")
	}
	program, err := os.Executable()
	require.NoError(t, err)
	for _, address := range []string{"127.0.0.1:0", "[::]:0"} {
		pid, name, ok := PortHolder(listen(t, address))
		require.True(t, ok)
		require.Equal(t, os.Getpid(), pid)
		require.Equal(t, filepath.Base(program), name)
	}
	_, _, ok := PortHolder(1)
	require.False(t, ok)
}

func TestStaticPortInUse(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		port := listen(t, address)
		n := start(t, Options{})
		err := n.Register(within(t), parse(t, "static", "port", strconv.Itoa(port)))
		var inUse *PortInUseError
		require.ErrorAs(t, err, &inUse)
		require.Equal(t, port, inUse.Port)
		if runtime.GOOS == "linux" {
			require.Equal(t, os.Getpid(), inUse.Holder.PID)
			require.ErrorContains(t, err, "pid "+strconv.Itoa(os.Getpid()))
		}
		require.Empty(t, n.Allocations())
	}
}

func TestStaticPortIsGivenBack(t *testing.T) {
	t.Parallel()
	ledger, err := newPortLedger()
	require.NoError(t, err)
	// One that is free, and that neither a dynamic port nor an outgoing connection takes meanwhile.
	port := maxDynamicPort + 1 + rand.IntN(700)
	for ledger.takeStatic(port) != nil {
		port++
	}
	ledger.release(port)

	n := start(t, Options{})
	number := strconv.Itoa(port)
	require.NoError(t, n.Register(within(t), parse(t, "static", "port", number)))
	require.NoError(t, n.WaitHealthy(within(t), "static"))
	require.Equal(t, "127.0.0.1:"+number, last(t, n, "static").Ports["fixed"])
	var inUse *PortInUseError
	require.ErrorAs(t, n.Register(within(t), parse(t, "static", "port", number, "id", "other")), &inUse)
	other := start(t, Options{})
	require.ErrorAs(t, other.Register(within(t), parse(t, "static", "port", number)), &inUse)

	require.NoError(t, n.Deregister(within(t), "static"))
	require.NoError(t, n.Register(within(t), parse(t, "static", "port", number, "id", "other")))
}

func TestDynamicPortsAreHandedOutOnce(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 3 { // ledgers as of three Nomads
		ledger, err := newPortLedger()
		require.NoError(t, err)
		for range 200 {
			port, err := ledger.takeDynamic()
			require.NoError(t, err)
			t.Cleanup(func() { ledger.release(port) })
			require.False(t, seen[port], "port %d twice", port)
			require.GreaterOrEqual(t, port, minDynamicPort)
			require.LessOrEqual(t, port, maxDynamicPort)
			seen[port] = true
		}
	}
}

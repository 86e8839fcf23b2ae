package parity

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// RealProgram returns the path of a real program, as scripts/real.sh, whose
// path it is given, finds or builds it.
func RealProgram(t *testing.T, script, name string) string {
	t.Helper()
	var problems strings.Builder
	find := exec.Command(script, name)
	find.Stderr = &problems
	program, err := find.Output()
	require.NoError(t, err, "%s %s: %s", script, name, &problems)
	return strings.TrimSpace(string(program))
}

// FreePorts finds ports of 127.0.0.1 that nobody has, for real programs, which
// cannot pick their own.
func FreePorts(t *testing.T, count int) []int {
	t.Helper()
	var ports []int
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

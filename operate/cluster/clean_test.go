package cluster

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/operate/agents"
)

func TestOnlyOneChangesAClusterAtATime(t *testing.T) {
	t.Parallel()
	at := site{name: "ddlock"}
	release, err := at.lock()
	if _, supported := err.(*net.OpError); supported {
		t.Skip(err)
	}
	require.NoError(t, err)
	_, err = at.lock()
	require.ErrorIs(t, err, errBusy)
	release()
	release, err = at.lock()
	require.NoError(t, err)
	release()
}

func TestTheResolverOfOthersIsLeftAlone(t *testing.T) {
	t.Parallel()
	stack := testStack(t)
	others := filepath.Join(stack.site.etc, "vpn")
	require.NoError(t, os.MkdirAll(others, 0o755))
	for _, z := range stack.Zones {
		require.NoError(t, stack.site.makeResolver(z))
	}
	text, err := os.ReadFile(filepath.Join(stack.site.etc, "ddunit-a", "resolv.conf"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "nameserver 203.0.113.11\n")

	require.NoError(t, stack.site.removeResolvers())
	entries, err := os.ReadDir(stack.site.etc)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.NoError(t, os.Remove(others))
	require.NoError(t, stack.site.removeResolvers())
	assert.NoDirExists(t, stack.site.etc)
}

func TestWhatIsHalfMadeIsFoundAndRemoved(t *testing.T) {
	if err := check(); err != nil {
		t.Skip(err)
	}
	t.Parallel()
	network, err := testNetwork(t)
	require.NoError(t, err)
	at := site{name: "ddhalf", dir: filepath.Join(t.TempDir(), "cluster"), etc: filepath.Join(t.TempDir(), "etc")}
	stack := newStack(at, network, os.Getenv("PATH"))
	t.Cleanup(func() { _ = at.clean(t.Context()) })

	require.NoError(t, at.makeNetwork(t.Context(), network))
	require.NoError(t, at.makeResolver(stack.Zones[0]))
	require.NoError(t, stack.writeConfigs(stack.Zones[1]))
	task := agents.Agent{
		Name: "task", Dir: t.TempDir(), Command: []string{"sh", "-c", "sleep 1000 & sleep 1000"},
		Within: []string{"ip", "netns", "exec", at.namespace("b")}, Environment: agents.Environment(at.namespace("b"), os.Getenv("PATH")),
	}
	require.NoError(t, task.Start())
	_, err = output(t.Context(), "ip", "netns", "delete", at.namespace("c"))
	require.NoError(t, err)
	_, err = open(at)
	require.ErrorIs(t, err, ErrNone, "a cluster that is half made is none")
	left, err := at.leftovers(t.Context())
	require.NoError(t, err)
	require.True(t, left)

	require.NoError(t, at.makeWay(t.Context(), t.Output()))
	left, err = at.leftovers(t.Context())
	require.NoError(t, err)
	assert.False(t, left)
	assert.Zero(t, task.PID())
	pids, err := agents.Left(at.namespace("b"))
	require.NoError(t, err)
	assert.Empty(t, pids)
	require.NoError(t, at.clean(t.Context()), "once more")
}

// testNetwork is one that is free.
func testNetwork(t *testing.T) (netip.Prefix, error) {
	t.Helper()
	routes, err := machineRoutes(t.Context())
	require.NoError(t, err)
	return chooseNetwork(routes)
}

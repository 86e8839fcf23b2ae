package cgroup

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// confined starts a program within a group.
func confined(t *testing.T, g *Group, cmd *exec.Cmd) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	restore, err := g.Confine(cmd.SysProcAttr)
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.NoError(t, restore())
}

// TestMemoryIsLimited needs root, and a machine with control groups.
func TestMemoryIsLimited(t *testing.T) {
	t.Parallel()
	h, err := Find()
	if err != nil {
		t.Skip(err)
	}
	g, err := h.Make("test/"+t.Name(), Limits{MemoryBytes: 16 << 20, CPUShares: 100})
	require.NoError(t, err)
	defer func() { require.NoError(t, g.Remove()) }()

	greedy := exec.Command("/bin/sh", "-c", `read go; x=$(head -c 200000000 /dev/zero | tr '\0' x); echo "${#x}"`)
	stdin, err := greedy.StdinPipe()
	require.NoError(t, err)
	confined(t, g, greedy)
	usage, err := g.Usage()
	require.NoError(t, err)
	require.Less(t, usage.Current, uint64(16<<20))
	_, err = stdin.Write([]byte("go\n"))
	require.NoError(t, err)
	require.Error(t, greedy.Wait())
	require.True(t, g.OOMKilled())
}

func TestRemoveKillsWhatIsLeft(t *testing.T) {
	t.Parallel()
	h, err := Find()
	if err != nil {
		t.Skip(err)
	}
	g, err := h.Make(t.Name(), Limits{})
	require.NoError(t, err)
	sleeper := exec.Command("/bin/sleep", "1000")
	confined(t, g, sleeper)
	ended := make(chan error, 1)
	go func() { ended <- sleeper.Wait() }()
	require.NoError(t, g.Remove())
	require.Error(t, <-ended)
	require.False(t, g.OOMKilled())
}

func TestRemoveSparesWhoIsStartingAProcess(t *testing.T) {
	t.Parallel()
	h, err := Find()
	if err != nil {
		t.Skip(err)
	}
	g, err := h.Make(t.Name(), Limits{})
	require.NoError(t, err)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	restore, err := g.Confine(&syscall.SysProcAttr{})
	require.NoError(t, err)
	for _, folder := range h.layout.folders(g.name) {
		killMembers(folder)
	}
	require.NoError(t, restore())
	require.NoError(t, g.Remove())
}

// fakeUnified is a folder that looks like control groups of version 2.
func fakeUnified(t *testing.T, controllers string) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "cgroup.controllers"), []byte(controllers), 0o644))
	for _, folder := range []string{root, filepath.Join(root, parent)} {
		require.NoError(t, os.MkdirAll(folder, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "cgroup.subtree_control"), nil, 0o644))
	}
	return root
}

func TestUnifiedLayout(t *testing.T) {
	t.Parallel()
	_, err := layoutOf(fakeUnified(t, "cpuset io"))
	require.ErrorContains(t, err, `no controller "memory"`)
	root := fakeUnified(t, "cpuset cpu io memory")
	l, err := layoutOf(root)
	require.NoError(t, err)
	folder := filepath.Join(root, parent, "x")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	for name, text := range map[string]string{
		"memory.max": "", "cpu.weight": "", "memory.current": "30\n", "memory.peak": "40\n", "memory.swap.current": "5\n",
		"memory.stat": "anon 10\nfile 20\nkernel 3\n", "memory.events": "low 0\noom_kill 2\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
	}
	require.NoError(t, l.limit("x", Limits{MemoryBytes: 1 << 20, CPUShares: 1024}))
	limit, err := os.ReadFile(filepath.Join(folder, "memory.max"))
	require.NoError(t, err)
	require.Equal(t, "1048576", string(limit))
	usage, err := l.usage("x")
	require.NoError(t, err)
	require.Equal(t, Usage{RSS: 10, Cache: 20, Kernel: 3, Swap: 5, Current: 30, Max: 40}, usage)
	require.Equal(t, 2, l.oomKills("x"))
	_, err = l.usage("y")
	require.Error(t, err)
}

func TestMachineWithoutControlGroups(t *testing.T) {
	t.Parallel()
	_, err := layoutOf(t.TempDir())
	require.ErrorContains(t, err, "no control groups")
}

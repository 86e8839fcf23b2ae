package client

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProgramMissing(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Path: []string{"/our/bin"}})
	require.NoError(t, n.Register(within(t), parse(t, "task", "program", "drydock-images", "mode", "x")))
	err := n.WaitHealthy(within(t), "one")
	require.ErrorContains(t, err, `wait for job "one": allocation one.g[0]: task "t": Driver Failure: program "drydock-images" not found in `)
	require.ErrorContains(t, err, "/our/bin")
	require.ErrorContains(t, err, ": build it with make build")
}

func TestProgramIsFoundInPath(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	n := start(t, Options{Path: []string{filepath.Dir(program)}})
	require.NoError(t, n.Register(within(t), parse(t, "task", "program", filepath.Base(program), "mode", "wait")))
	require.NoError(t, n.WaitHealthy(within(t), "one"))
}

func TestStopIsGraceful(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "wait", "kill_timeout", "1h")))
	require.NoError(t, n.WaitHealthy(within(t), "one"))
	require.NoError(t, n.Deregister(within(t), "one"))
	a := last(t, n, "one")
	require.Equal(t, "Killed", a.Tasks[0].Event.Type)
	require.Equal(t, "complete", a.Status)
}

func TestKillTimeout(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "stubborn", "kill_timeout", "200ms")))
	eventually(t, "it runs", func() bool { return stdout(t, last(t, n, "one"), "t") != "" })
	pid := last(t, n, "one").Tasks[0].PID
	began := time.Now()
	require.NoError(t, n.Deregister(within(t), "one"))
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
	require.False(t, alive(pid))
	require.Contains(t, stdout(t, last(t, n, "one"), "t"), "refused", "it was asked first")
}

// grandchild waits for the child that a "parent" task prints.
func grandchild(t *testing.T, n *Nomad, jobID string) (pid int) {
	t.Helper()
	eventually(t, "it has a child", func() bool {
		pid, _ = strconv.Atoi(strings.TrimSpace(stdout(t, last(t, n, jobID), "t")))
		return pid != 0
	})
	require.True(t, alive(pid))
	return pid
}

func TestGrandchildrenDieWithTheTask(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "parent")))
	child := grandchild(t, n, "one")
	require.NoError(t, n.Deregister(within(t), "one"))
	eventually(t, "the grandchild is gone", func() bool { return !alive(child) })

	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "parent", "id", "two")))
	child = grandchild(t, n, "two")
	watchdog := n.processes.Watchdog()
	require.NoError(t, n.Close())
	eventually(t, "the grandchild is gone", func() bool { return !alive(child) })
	require.False(t, alive(watchdog), "the watchdog ends with Close")
}

func TestGrandchildrenDieWhenTheTaskCrashes(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "parent")))
	child := grandchild(t, n, "one")
	parent, err := os.FindProcess(last(t, n, "one").Tasks[0].PID)
	require.NoError(t, err)
	require.NoError(t, parent.Kill())
	eventually(t, "the task ends", dead(n, t, "one"))
	require.Contains(t, last(t, n, "one").Tasks[0].Event.Message, "signal: killed")
	eventually(t, "the grandchild is gone", func() bool { return !alive(child) })
}

func TestNothingOutlivesAKilledOwner(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	owner := exec.Command(program, "task", "owner", t.TempDir())
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var pids []int
	require.NoError(t, json.Unmarshal(line, &pids))
	require.Len(t, pids, 7, "the watchdog, three tasks, three children")
	for _, pid := range pids {
		require.True(t, alive(pid))
	}
	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	for _, pid := range pids {
		eventually(t, "the process is gone", func() bool { return !alive(pid) })
	}
}

func TestKilledWatchdogStopsNewTasks(t *testing.T) {
	t.Parallel()
	n, err := New(Options{Dir: t.TempDir()})
	require.NoError(t, err)
	require.NoError(t, n.Register(within(t), parse(t, "task", "type", "batch", "mode", "exit", "argument", "0", "id", "first")))
	eventually(t, "the first task ends", dead(n, t, "first"))
	require.NoError(t, syscall.Kill(n.processes.Watchdog(), syscall.SIGKILL))
	eventually(t, "the watchdog is gone", func() bool { return !alive(n.processes.Watchdog()) })
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "wait")))
	eventually(t, "the task is refused", dead(n, t, "one"))
	require.Contains(t, last(t, n, "one").Tasks[0].Event.Message, "watchdog")
	require.ErrorContains(t, n.Close(), "watchdog")
}

func TestKillSignal(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	job := parse(t, "task", "mode", "wait", "argument", "until notified", "kill_timeout", "1h")
	job.TaskGroups[0].Tasks[0].KillSignal = "SIGUSR1"
	require.NoError(t, n.Register(within(t), job))
	eventually(t, "it runs", func() bool { return stdout(t, last(t, n, "one"), "t") != "" })
	require.NoError(t, n.Deregister(within(t), "one"))
	require.Contains(t, stdout(t, last(t, n, "one"), "t"), "notified")
}

func TestShutdownDelayTakesServicesAwayFirst(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"group", "task"} {
		n := start(t, Options{})
		job := parse(t, "http")
		if level == "group" {
			job.TaskGroups[0].ShutdownDelay = new(300 * time.Millisecond)
		} else {
			job.TaskGroups[0].Tasks[0].ShutdownDelay = 300 * time.Millisecond
		}
		require.NoError(t, n.Register(within(t), job))
		require.NoError(t, n.WaitHealthy(within(t), "http"))
		stopped := make(chan error, 1)
		ctx := within(t)
		go func() { stopped <- n.Deregister(ctx, "http") }()
		eventually(t, "the service is gone", func() bool { return len(n.Services()) == 0 })
		require.True(t, alive(last(t, n, "http").Tasks[0].PID), "the task still serves")
		require.NoError(t, <-stopped)
	}
}

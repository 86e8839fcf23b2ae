package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
)

func TestWaitHealthyFailsEarly(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	job := parse(t, "http")
	job.TaskGroups[0].Tasks[0].Config["args"] = []any{"task", "exit", "7"}
	job.TaskGroups[0].Tasks[0].RestartPolicy = &api.RestartPolicy{Attempts: new(1), Delay: new(time.Millisecond), Interval: new(time.Hour), Mode: new("fail")}
	require.NoError(t, n.Register(within(t), job))
	err := n.WaitHealthy(within(t), "http")
	var failed *TaskFailedError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "server", failed.Task)
	require.Contains(t, failed.Event.Message, "exit code 7: Exceeded allowed attempts 1")
	require.Equal(t, []string{"about to exit with 7", "about to exit with 7"}, failed.Lines)
	require.ErrorContains(t, err, "about to exit with 7")
}

func TestWaitHealthySaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.ErrorContains(t, n.WaitHealthy(within(t), "none"), `wait for job "none": it is not registered`)
	job := parse(t, "http")
	job.TaskGroups[0].Tasks[0].Config["args"] = []any{"task", "wait"} // listens to nothing
	require.NoError(t, n.Register(within(t), job))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := n.WaitHealthy(ctx, "http")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, `check "service: \"web\" check" fails`)
	require.ErrorContains(t, err, "connection refused")
}

func TestRegisterIsIdempotent(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	job := parse(t, "http")
	require.NoError(t, n.Register(within(t), job))
	require.NoError(t, n.WaitHealthy(within(t), "http"))
	first := last(t, n, "http")
	require.NoError(t, n.Register(within(t), job))
	require.NoError(t, n.Register(within(t), parse(t, "http")))
	require.Len(t, n.Allocations(), 1)
	require.Equal(t, first.Tasks[0].PID, last(t, n, "http").Tasks[0].PID)

	require.NoError(t, n.Register(within(t), parse(t, "http", "count", "2")))
	require.NoError(t, n.WaitHealthy(within(t), "http"))
	require.False(t, alive(first.Tasks[0].PID), "a changed job is stopped and started anew")
	require.Len(t, n.Allocations(), 3)
	require.Equal(t, "complete", n.Allocations()[0].Status)
}

func TestRegisterStartsAFailedJobAnew(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	job := parse(t, "task", "mode", "exit", "argument", "1")
	require.NoError(t, n.Register(within(t), job))
	eventually(t, "it fails", dead(n, t, "one"))
	require.NoError(t, n.Register(within(t), job))
	require.Len(t, n.Allocations(), 2)
}

func TestRegisterEndsWithItsContext(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "stubborn", "kill_timeout", "500ms")))
	eventually(t, "it runs", func() bool { return stdout(t, last(t, n, "one"), "t") != "" })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := n.Register(ctx, parse(t, "task", "mode", "wait"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Len(t, n.Allocations(), 1, "nothing new is started")
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "wait")))
	require.NoError(t, n.WaitHealthy(within(t), "one"))
	require.ErrorIs(t, n.Deregister(ctx, "one"), context.DeadlineExceeded)
}

func TestOneNomadPerFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, Options{Dir: dir})
	_, err := New(Options{Dir: dir})
	require.ErrorContains(t, err, "in use by another nomad")
	require.NoError(t, n.Close())
	start(t, Options{Dir: dir})
	_, err = New(Options{})
	require.ErrorContains(t, err, "Options.Dir is empty")
}

func TestEndedAllocationsAreCollected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, Options{Dir: dir})
	for i := range keptAllocations + 3 {
		require.NoError(t, n.Register(within(t), parse(t, "task", "type", "batch", "mode", "exit", "argument", strconv.Itoa(i%2))))
		eventually(t, "it ends", dead(n, t, "one"))
	}
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "exit", "argument", "0", "id", "other")))
	eventually(t, "it ends", dead(n, t, "other"))
	require.NoError(t, n.Close())
	kept := n.Allocations()
	require.Len(t, kept, keptAllocations+1)
	for _, a := range kept {
		require.FileExists(t, filepath.Join(a.Dir, "alloc", "logs", "t.stderr.0"))
	}
	left := filepath.Join(kept[0].Dir, "t", "secrets") // as an owner that was killed leaves it
	require.NoError(t, os.Mkdir(left, 0o700))
	n = start(t, Options{Dir: dir})
	require.NoDirExists(t, left)
	entries, err := os.ReadDir(filepath.Join(dir, "alloc"))
	require.NoError(t, err)
	require.Len(t, entries, keptAllocations+1)
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "exit", "argument", "0")))
	eventually(t, "the next Nomad collects what the last has left", func() bool {
		_, err := os.Stat(kept[0].Dir)
		return os.IsNotExist(err)
	})
}

func TestConcurrentRegisterAndClose(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	job := parse(t, "task", "mode", "wait")
	var calls sync.WaitGroup
	for i := range 16 {
		calls.Go(func() {
			own := *job
			own.ID = new(fmt.Sprint("job-", i%5))
			if err := n.Register(t.Context(), &own); err != nil && !errors.Is(err, ErrClosed) {
				t.Errorf("register: %v", err)
			}
			if i == 9 {
				calls.Go(func() { _ = n.Close() })
			}
			if i%3 == 0 {
				if err := n.Deregister(t.Context(), *own.ID); err != nil && !errors.Is(err, ErrClosed) {
					t.Errorf("deregister: %v", err)
				}
			}
			n.Allocations()
			n.Services()
		})
	}
	calls.Wait()
	require.NoError(t, n.Close())
	require.NoError(t, n.Close())
	for _, a := range n.Allocations() {
		require.NotEqual(t, "running", a.Status)
	}
	require.ErrorIs(t, n.Register(t.Context(), job), ErrClosed)
	require.ErrorIs(t, n.WaitHealthy(t.Context(), "job-1"), ErrClosed)
}

func TestManyNomads(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for range 20 {
		n := start(t, Options{})
		job := parse(t, "http", "count", "2")
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
			defer cancel()
			err := n.Register(ctx, job)
			if err == nil {
				err = n.WaitHealthy(ctx, "http")
			}
			if err == nil {
				err = n.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func BenchmarkRegisterToHealthy(b *testing.B) {
	n, err := New(Options{Dir: b.TempDir()})
	require.NoError(b, err)
	defer n.Close()
	text, err := os.ReadFile("testdata/http.nomad.hcl")
	require.NoError(b, err)
	program, err := os.Executable()
	require.NoError(b, err)
	job, err := ParseJob("http.nomad.hcl", text, map[string]string{"program": program})
	require.NoError(b, err)
	for b.Loop() {
		require.NoError(b, n.Register(b.Context(), job))
		require.NoError(b, n.WaitHealthy(b.Context(), "http"))
		b.StopTimer()
		require.NoError(b, n.Deregister(b.Context(), "http"))
		b.StartTimer()
	}
}

package emulator_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/emulator/nomad"
)

// jobFiles are job files by the names of their jobs.
func jobFiles(files map[string]string) fstest.MapFS {
	all := fstest.MapFS{}
	for name, text := range files {
		all[name+".nomad.hcl"] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

// shellJob is a job file whose instances run a command of the shell. More is
// for the group.
func shellJob(name, command, more string) string {
	return fmt.Sprintf(`job %q {
  group "main" {
    %s
    task "main" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", %q]
      }
    }
  }
}`, name, more, command)
}

const (
	forever = "exec sleep 600"
	// atOnce has an update not wait to see whether what runs stays healthy.
	atOnce = "\nupdate {\n min_healthy_time = \"0s\"\n}\n"
	// onlyOnce has the first failure be the last.
	onlyOnce = "\nrestart {\n attempts = 0\n mode = \"fail\"\n}\n"
)

func nomadClient(t *testing.T, stack *emulator.Stack) *api.Client {
	t.Helper()
	client, err := api.NewClient(&api.Config{Address: stack.NomadURL()})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// running are the IDs of the allocations of a job that run.
func running(stack *emulator.Stack, job string) []string {
	var ids []string
	for _, a := range stack.Allocations() {
		if a.JobID == job && a.Running() {
			ids = append(ids, a.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func TestJobsFollowTheirFilesOverRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	web := func(command string) string { return shellJob("web", command, "count = 2"+atOnce) }
	first := start(t, emulator.Options{Dir: dir, Jobs: jobFiles(map[string]string{
		"web": web(forever), "same": shellJob("same", forever, ""), "gone": shellJob("gone", forever, ""),
	})})
	_, _, err := nomadClient(t, first).Jobs().Register(mockJob(t, "mine"), nil)
	require.NoError(t, err)
	await(t, func() bool { return len(running(first, "mine")) == 1 })
	mine, same, before := running(first, "mine"), running(first, "same"), running(first, "web")
	require.Len(t, before, 2)
	require.Len(t, running(first, "gone"), 1)
	require.NoError(t, first.Close())

	second := start(t, emulator.Options{Dir: dir, Jobs: jobFiles(map[string]string{
		"web": web("true; " + forever), "same": shellJob("same", forever, ""), "new": shellJob("new", forever, ""),
	})})
	client := nomadClient(t, second)
	assert.Equal(t, same, running(second, "same"), "what has not changed comes back")
	after := running(second, "web")
	require.Len(t, after, 2)
	for _, id := range after {
		assert.NotContains(t, before, id, "what has changed is updated")
	}
	assert.Len(t, running(second, "new"), 1)
	await(t, func() bool { return slices.Equal(mine, running(second, "mine")) })
	for job, version := range map[string]uint64{"web": 1, "same": 0, "new": 0} {
		known, _, err := client.Jobs().Info(job, nil)
		require.NoError(t, err)
		assert.Equal(t, version, *known.Version, job)
		submitted, _, err := client.Jobs().Submission(job, int(version), nil)
		require.NoError(t, err)
		assert.Contains(t, submitted.Source, "sleep 600", "as who reads it expects it")
	}
	gone, _, err := client.Jobs().Info("gone", nil)
	require.NoError(t, err)
	assert.True(t, *gone.Stop, "what has no file any more is stopped")
	assert.Empty(t, running(second, "gone"))
}

// mockJob is a job that only pretends to run.
func mockJob(t *testing.T, id string) *api.Job {
	t.Helper()
	task := api.NewTask("main", "mock_driver").SetConfig("run_for", "1h").Require(&api.Resources{CPU: new(10), MemoryMB: new(10)})
	return api.NewServiceJob(id, id, "global", 50).AddTaskGroup(api.NewTaskGroup("main", 1).AddTask(task))
}

func await(t *testing.T, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, time.Minute, 10*time.Millisecond)
}

func TestAJobThatFailedGetsAnotherChance(t *testing.T) {
	t.Parallel()
	dir, program := t.TempDir(), filepath.Join(t.TempDir(), "program")
	o := emulator.Options{Dir: dir, Jobs: jobFiles(map[string]string{"web": shellJob("web", "exec "+program, onlyOnce)})}
	_, err := emulator.Start(bounded(t), o)
	var failed *emulator.TaskFailedError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "web", failed.JobID)
	assert.Equal(t, "web.main[0]", failed.Allocation)
	assert.Equal(t, "main", failed.Task)
	assert.Contains(t, strings.Join(failed.Events, "\n"), "Not Restarting: ")
	require.Len(t, failed.Lines, 1)
	assert.Contains(t, failed.Lines[0], "not found")

	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"+forever+"\n"), 0o755))
	assert.Len(t, running(start(t, o), "web"), 1, "it is mended")
}

func TestWhatDoesNotBecomeHealthyIsTold(t *testing.T) {
	t.Parallel()
	check := `
    network {
      port "http" {}
    }
    service {
      provider = "%s"
      port     = "http"
      check {
        name     = "ready"
        type     = "tcp"
        interval = "5s"
        timeout  = "1s"
      }
    }`
	for name, test := range map[string]struct {
		job  string
		says string
	}{
		"a check in Consul": {shellJob("web", forever, fmt.Sprintf(check, "consul")), `check "ready" fails: .*connection refused`},
		"a check of Nomad":  {shellJob("web", forever, fmt.Sprintf(check, "nomad")), `check "ready" fails: .*connection refused`},
		"a task that does not stay": {
			shellJob("web", "exit 7", "\nrestart {\n attempts = 1\n interval = \"2h\"\n delay = \"1h\"\n mode = \"delay\"\n}\n"), `task "main" is pending: Restarting: `,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := emulator.Start(ctx, emulator.Options{Jobs: jobFiles(map[string]string{"web": test.job})})
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Regexp(t, `wait for job "web": .*allocation web\.main\[0\]: .*`+test.says, err.Error())
		})
	}
}

func TestAJobThatNoNodeCanRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ more, says string }{
		"constraint": {"constraint {\n attribute = \"${meta.zone}\"\n value = \"z\"\n}", `nodes do not meet \$\{meta\.zone\} = z`},
		"resources":  {"ephemeral_disk {\n size = 900000000\n}", `3 nodes lack disk`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := emulator.Start(bounded(t), emulator.Options{Jobs: jobFiles(map[string]string{"web": shellJob("web", forever, test.more)})})
			require.Error(t, err)
			assert.Regexp(t, `wait for job "web": no node can run it: group "main": .*`+test.says, err.Error())
		})
	}
}

func TestAStaticPortThatIsTakenIsTold(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	network := fmt.Sprintf("network {\n port \"http\" {\n static = %d\n }\n}", port)
	_, err = emulator.Start(bounded(t), emulator.Options{Jobs: jobFiles(map[string]string{"web": shellJob("web", forever, network)})})
	var taken *emulator.PortTakenError
	require.ErrorAs(t, err, &taken)
	assert.Equal(t, emulator.PortTakenError{Part: "web", Label: "http", Port: port, Holder: taken.Holder}, *taken)
	assert.ErrorContains(t, err, fmt.Sprintf("port %d, which the job web has as http, is taken by ", port))
}

func TestJobsRunInTheRegionsOfTheStack(t *testing.T) {
	t.Parallel()
	constraint := "constraint {\n attribute = \"${node.datacenter}\"\n value = \"south\"\n}"
	stack := start(t, emulator.Options{
		Regions: []nomad.Region{
			{Name: "here", Nodes: []nomad.Node{{Name: "n", Datacenter: "north"}, {Name: "s", Datacenter: "south"}}},
			{Name: "there"},
		},
		Jobs: jobFiles(map[string]string{"web": shellJob("web", forever, constraint)}),
	})
	require.Len(t, stack.Allocations(), 1)
	web := stack.Allocations()[0]
	assert.Equal(t, "s", web.Node)
	assert.True(t, web.Healthy)
	assert.Equal(t, []emulator.Task{{Name: "main", State: "running"}}, web.Tasks)
	assert.Len(t, stack.PIDs("web"), 1)
	assert.Empty(t, stack.PIDs("unknown"))
	regions, err := nomadClient(t, stack).Regions().List()
	require.NoError(t, err)
	assert.Equal(t, []string{"here", "there"}, regions)
}

// lines collects what is written, which must not be at the same time.
type lines struct {
	writing sync.Mutex
	mu      sync.Mutex
	all     []string
}

func (l *lines) Write(line []byte) (int, error) {
	if !l.writing.TryLock() {
		panic("two writes at a time")
	}
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(line))
	return len(line), nil
}

func (l *lines) count(line string) (count int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.all {
		if one == line {
			count++
		}
	}
	return count
}

func TestWhatTasksPrintIsShownWithTheirNames(t *testing.T) {
	t.Parallel()
	var shown lines
	stack := start(t, emulator.Options{Output: &shown, Jobs: jobFiles(map[string]string{
		"web": shellJob("web", "for i in 1 2 3 4 5 6 7 8 9; do echo line; done; "+forever, "count = 6\nspread {\n attribute = \"${node.unique.name}\"\n}"),
	})})
	nodes := map[string]bool{}
	for _, a := range stack.Allocations() {
		nodes[a.Node] = true
	}
	assert.Len(t, nodes, 3)
	await(t, func() bool { return shown.count("main | line\n") == 6*9 })
}

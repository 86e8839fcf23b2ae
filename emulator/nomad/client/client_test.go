package client

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// taskJob is a job with tasks that are given as HCL.
func taskJob(t testing.TB, jobType, body string) *api.Job {
	return parseJob(t, `job "j" {
	type = "`+jobType+`"
	meta { owner = "job ${NOMAD_JOB_NAME}" }
	group "g" {
`+body+`
	}
}`)
}

const failMode = `
	restart {
		attempts = 1
		delay    = "100ms"
		interval = "1h"
		mode     = "fail"
	}
	`

func TestAllocationRunsToItsEnd(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "batch", `task "t" {
		driver = "raw_exec"
		config {
			command = "/bin/sh"
			args    = ["-c", "exit 0"]
		}
	}`))
	a := server.await(t, id, "complete")
	require.Equal(t, "All tasks have completed", a.ClientDescription)
	state := a.TaskStates["t"]
	require.Equal(t, []string{
		"Received: Task received by client", "Task Setup: Building Task Directory",
		"Started: Task started by client", "Terminated: Exit Code: 0",
	}, shown(state))
	require.False(t, state.Failed)
	require.False(t, state.StartedAt.IsZero())
	require.False(t, state.FinishedAt.IsZero())
	require.Equal(t, map[string]string{"exit_code": "0", "signal": "0", "oom_killed": "false"}, state.Events[3].Details)
}

func TestAllocationFailsByItsPolicy(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "batch", failMode+`task "t" {
		driver = "mock_driver"
		config { exit_code = 3 }
	}
	task "other" {
		driver = "mock_driver"
		config { run_for = "1h" }
	}`))
	server.awaitTask(t, id, "other", "dead")
	a := server.await(t, id, "failed")
	state := a.TaskStates["t"]
	require.True(t, state.Failed)
	require.EqualValues(t, 1, state.Restarts)
	events := shown(state)
	require.Regexp(t, `^Restarting: Task restarting in 1\d\d\.\d+ms$`, events[4])
	require.Equal(t, []string{
		"Started: Task started by client", "Terminated: Exit Code: 3",
		`Not Restarting: Exceeded allowed attempts 1 in interval 1h0m0s and mode is "fail"`,
	}, events[5:])
	require.False(t, a.TaskStates["other"].Failed)
	require.Equal(t, []string{
		`Sibling Task Failed: Task's sibling "t" failed`, "Killing: Sent interrupt. Waiting 5s before force killing",
		"Terminated: Exit Code: 0", "Killed: Task successfully killed",
	}, shown(a.TaskStates["other"])[3:])
}

func TestFailuresToStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		driver, config string
		want           []string
	}{
		"no program": {"raw_exec", `command = "/nonexistent"`, []string{
			`Driver Failure: failed to launch command with executor: rpc error: code = Unknown desc = binary "/nonexistent" could not be found`,
			"Not Restarting: Error was unrecoverable",
		}},
		"config": {"raw_exec", `comand = "x"`, []string{
			"Failed Validation: 3 errors occurred:\n\t* failed to parse config: \n" +
				"\t* Missing required argument: The argument \"command\" is required, but no definition was found.\n" +
				"\t* Invalid label: No argument or block type is named \"comand\". Did you mean \"command\"?\n\n",
			"Not Restarting: Error was unrecoverable",
		}},
		"reference": {"raw_exec", `command = "${meta.foo}"`, []string{
			"Failed Validation: 2 errors occurred:\n\t* failed to parse config: \n" +
				"\t* Unsupported attribute: This object does not have an attribute named \"foo\".\n\n",
			"Not Restarting: Error was unrecoverable",
		}},
		"mock": {"mock_driver", `start_error = "bad thing"`, []string{
			"Driver Failure: bad thing", "Not Restarting: Error was unrecoverable",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFakeServer()
			testNode(t, server)
			id := server.place(taskJob(t, "batch", `task "t" {
				driver = "`+c.driver+`"
				config { `+c.config+` }
			}`))
			require.Equal(t, c.want, shown(server.await(t, id, "failed").TaskStates["t"])[2:])
		})
	}
}

func TestStopEndsTasksInOrder(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "service", `
	task "lead" {
		leader = true
		driver = "mock_driver"
		config {
			run_for    = "1h"
			kill_after = "50ms"
		}
	}
	task "other" {
		driver         = "mock_driver"
		shutdown_delay = "1ms"
		kill_timeout   = "1h"
		config { run_for = "1h" }
	}
	task "after" {
		lifecycle { hook = "poststop" }
		driver = "mock_driver"
		config { run_for = "1ms" }
	}`))
	server.await(t, id, "running")
	server.awaitTask(t, id, "other", "running")
	server.stop(id)
	a := server.await(t, id, "complete")
	require.Equal(t, []string{
		"Killing: Sent interrupt. Waiting 30s before force killing",
		"Waiting for shutdown delay: Waiting for shutdown_delay of 1ms before killing the task.",
		"Terminated: Exit Code: 0", "Killed: Task successfully killed",
	}, shown(a.TaskStates["other"])[3:])
	require.True(t, a.TaskStates["lead"].FinishedAt.Before(a.TaskStates["other"].FinishedAt))
	require.True(t, a.TaskStates["other"].FinishedAt.Before(a.TaskStates["after"].StartedAt))
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	mock := `driver = "mock_driver"
		config { run_for = `
	id := server.place(taskJob(t, "batch", `
	task "init" {
		lifecycle { hook = "prestart" }
		`+mock+`"20ms" }
	}
	task "side" {
		lifecycle {
			hook    = "prestart"
			sidecar = true
		}
		`+mock+`"1h" }
	}
	task "main" {
		`+mock+`"50ms" }
	}
	task "after" {
		lifecycle { hook = "poststart" }
		`+mock+`"1ms" }
	}
	task "post" {
		lifecycle { hook = "poststop" }
		`+mock+`"1ms" }
	}`))
	states := server.await(t, id, "complete").TaskStates
	before := func(a, b string) {
		require.False(t, states[b].StartedAt.Before(states[a].StartedAt), "%s starts before %s", a, b)
	}
	require.False(t, states["main"].StartedAt.Before(states["init"].FinishedAt))
	before("side", "main")
	before("main", "after")
	require.False(t, states["post"].StartedAt.Before(states["side"].FinishedAt))
	require.Contains(t, shown(states["side"]), "Main Tasks Dead: Main tasks in the group died")
	for name, state := range states {
		require.False(t, state.Failed, name)
	}
}

func TestEnvironmentOfATask(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	id := server.place(taskJob(t, "batch", `task "t" {
		driver = "raw_exec"
		config {
			command = "/bin/sh"
			args    = ["-c", "env; echo ${attr.kernel.name} ${meta.zone} ${node.datacenter} ${NOMAD_PORT_http}"]
		}
		env = { "MY-VAR" = "${NOMAD_META_owner} ${nothing}" }
		identity {
			env  = true
			file = true
		}
	}`))
	server.await(t, id, "complete")
	dir, err := node.AllocationDir(id)
	require.NoError(t, err)
	text, err := os.ReadFile(dir.LogFile("t", "stdout", 0))
	require.NoError(t, err)
	require.NoDirExists(t, dir.Task("t").Secrets(), "what is secret goes with the allocation")
	for _, want := range []string{
		"NOMAD_ALLOC_ID=" + id, "NOMAD_SHORT_ALLOC_ID=" + id[:8], "NOMAD_ALLOC_NAME=j.g[0]", "NOMAD_ALLOC_INDEX=0",
		"NOMAD_ADDR_http=127.0.0.1:23456", "NOMAD_HOST_PORT_http=23456", "NOMAD_ALLOC_PORT_http=23456", "NOMAD_CPU_LIMIT=100",
		"NOMAD_MEMORY_LIMIT=64", "NOMAD_DC=dc1", "NOMAD_REGION=global", "NOMAD_NAMESPACE=default", "NOMAD_TASK_NAME=t",
		"NOMAD_META_OWNER=job j", "MY_VAR=job j ${nothing}", "NOMAD_PARENT_CGROUP=nomad.slice", "NOMAD_GROUP_NAME=g",
		"NOMAD_SECRETS_DIR=" + dir.Task("t").Secrets(), "NOMAD_ALLOC_DIR=" + dir.Shared(), "linux a dc1 23456",
	} {
		require.Contains(t, strings.Split(string(text), "\n"), want)
	}
	require.Regexp(t, regexp.MustCompile(`(?m)^NOMAD_TOKEN=token of t, , `), string(text))
	require.NotContains(t, string(text), "must-not-leak")
}

func TestRestartAndSignal(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	id := server.place(taskJob(t, "service", `task "t" {
		driver = "raw_exec"
		config {
			command = "/bin/sleep"
			args    = ["1000"]
		}
	}`))
	server.await(t, id, "running")
	require.NoError(t, node.RestartAllocation(id, "t"))
	eventually(t, "it runs again", func() bool {
		state := server.get(id).TaskStates["t"]
		return state.State == "running" && state.Restarts == 1
	})
	require.Equal(t, []string{
		"Restart Signaled: User requested task to restart", "Terminated: Exit Code: 130, Signal: 2",
		"Restarting: Task restarting in 0s", "Started: Task started by client",
	}, shown(server.get(id).TaskStates["t"])[3:])
	require.NoError(t, node.SignalAllocation(id, "", "SIGCONT"))
	require.ErrorContains(t, node.RestartAllocation(id, "none"), "Could not find task runner for task: none")

	var out, errOut bytes.Buffer
	code, err := node.Exec(t.Context(), id, "t", driver.Command{
		Args: []string{"sh", "-c", "cat; exit 7"}, Stdin: strings.NewReader("typed"), Stdout: &out, Stderr: &errOut,
	})
	require.NoError(t, err)
	require.Equal(t, 7, code)
	require.Equal(t, "typed", out.String())

	stats, err := node.AllocationStats(t.Context(), id, "")
	require.NoError(t, err)
	require.NotZero(t, stats.ResourceUsage.MemoryStats.RSS)
	require.Len(t, stats.Tasks["t"].Pids, 1)
}

func TestKilledNodeComesBack(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	id := server.place(taskJob(t, "service", `task "t" {
		driver = "raw_exec"
		config {
			command = "/bin/sh"
			args    = ["-c", "echo $$; exec sleep 1000"]
		}
	}`))
	server.await(t, id, "running")
	node.Kill()
	require.Nil(t, node.Node())
	require.ErrorContains(t, node.RestartAllocation(id, "t"), "Unknown allocation")
	require.Equal(t, "running", server.get(id).ClientStatus, "nobody is told")
	require.NoError(t, node.Revive(t.Context()))
	eventually(t, "it runs anew", func() bool { return len(server.get(id).TaskStates["t"].Events) > 3 })
	require.Equal(t, "running", server.await(t, id, "running").ClientStatus)
}

func TestHealthOfADeployment(t *testing.T) {
	t.Parallel()
	const update = `update {
		min_healthy_time  = "%s"
		healthy_deadline  = "%s"
		progress_deadline = "3h"
	}
	`
	for name, c := range map[string]struct {
		task, healthyTime, deadline string
		healthy                     bool
		event                       string
	}{
		"runs": {`config { run_for = "1h" }`, "1ms", "1h", true, ""},
		"fails": {failMode + `
			config { exit_code = 1 }`, "1h", "2h", false, "Alloc Unhealthy: Unhealthy because of failed task"},
		"late": {`config {
			start_block_for = "1h"
		}`, "1ms", "300ms", false, "Alloc Unhealthy: Task not running by healthy_deadline of 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFakeServer()
			testNode(t, server)
			id := server.place(taskJob(t, "service", fmt.Sprintf(update, c.healthyTime, c.deadline)+`task "t" {
				driver = "mock_driver"
				`+c.task+`
			}`), func(a *api.Allocation) { a.DeploymentID = "d" })
			eventually(t, "its health is known", func() bool {
				status := server.get(id).DeploymentStatus
				return status != nil && status.Healthy != nil
			})
			require.Equal(t, c.healthy, *server.get(id).DeploymentStatus.Healthy)
			if c.event != "" {
				eventually(t, "tasks say why", func() bool {
					events := shown(server.get(id).TaskStates["t"])
					return events[len(events)-1] == c.event
				})
			}
		})
	}
}

func TestManyAllocationsAreLight(t *testing.T) {
	t.Parallel()
	const count = 2000
	server := newFakeServer()
	node := testNode(t, server)
	job := taskJob(t, "batch", `task "t" {
		driver = "mock_driver"
		config { run_for = "1h" }
	}`)
	ids := make([]string, count)
	for i := range ids {
		ids[i] = server.place(job)
	}
	eventually(t, "all run", func() bool {
		for _, id := range ids {
			if server.get(id).ClientStatus != "running" {
				return false
			}
		}
		return true
	})
	server.mu.Lock()
	require.Less(t, server.calls, count/2, "reports are batched")
	server.mu.Unlock()
	require.NoDirExists(t, node.options.Dir+"/alloc")
}

func TestRestartOfAllTasks(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	id := server.place(taskJob(t, "service", `
	task "init" {
		lifecycle { hook = "prestart" }
		driver = "mock_driver"
		config { run_for = "1ms" }
	}
	task "main" {
		driver = "mock_driver"
		config { run_for = "1h" }
	}`))
	server.awaitTask(t, id, "main", "running")
	require.NoError(t, node.RestartAllTasks(id))
	eventually(t, "both have run twice, in their order", func() bool {
		states := server.get(id).TaskStates
		return states["main"].State == "running" && states["main"].Restarts == 1 && states["init"].State == "dead" &&
			!states["main"].StartedAt.Before(states["init"].FinishedAt) &&
			strings.Count(strings.Join(shown(states["init"]), "\n"), "Started") == 2
	})
	require.Contains(t, shown(server.get(id).TaskStates["main"]), "Restart Signaled: User requested all tasks to restart")
	server.stop(id)
	server.await(t, id, "complete")
	require.ErrorContains(t, node.RestartAllTasks(id), "should not run")
}

func TestSilenceEndsWhatIsNotToOutliveIt(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	task := `task "t" {
		driver = "mock_driver"
		config { run_for = "1h" }
	}`
	stops := server.place(taskJob(t, "service", `disconnect { stop_on_client_after = "1ms" }`+"\n"+task))
	stays := server.place(taskJob(t, "service", task))
	server.await(t, stops, "running")
	server.await(t, stays, "running")
	server.silence(errors.New("cut off"))
	eventually(t, "heartbeats are not heard", func() bool {
		server.mu.Lock()
		defer server.mu.Unlock()
		return server.unheard > 1
	})
	require.Equal(t, "running", server.get(stops).ClientStatus)
	server.silence(nil)
	server.await(t, stops, "complete")
	require.Equal(t, "running", server.get(stays).ClientStatus)
}

func TestServersThatHadLostSight(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "service", `task "t" {
		driver = "mock_driver"
		config { run_for = "1h" }
	}`))
	server.await(t, id, "running")
	server.change(id, func(a *api.Allocation) { a.ClientStatus = api.AllocClientStatusUnknown })
	server.await(t, id, "running")
	require.Equal(t, "Reconnected: Client reconnected", shown(server.get(id).TaskStates["t"])[3])
}

func TestTasksSayWhyTheyAreNotHealthy(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "service", `
	task "bad" {
		driver = "mock_driver"
		config { start_error = "bad" }
	}
	task "good" {
		driver = "mock_driver"
		config {
			run_for    = "1h"
			kill_after = "50ms"
		}
	}
	task "after" {
		lifecycle { hook = "poststop" }
		driver = "mock_driver"
	}`), func(a *api.Allocation) { a.DeploymentID = "d" })
	states := server.awaitTask(t, id, "after", "dead")
	require.Equal(t, "Alloc Unhealthy: Task not running by healthy_deadline of 5m0s", shown(states)[1])
	for task, want := range map[string]string{"bad": "failed", "good": "dead"} {
		events := shown(server.get(id).TaskStates[task])
		require.Equal(t, "Alloc Unhealthy: Unhealthy because of "+want+" task", events[len(events)-1])
	}
}

package client

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
)

func TestArtifactsAreFetchedOnce(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	source := filepath.Join(t.TempDir(), "program.txt")
	require.NoError(t, os.WriteFile(source, []byte("text"), 0o644))
	id := server.place(taskJob(t, "service", `task "t" {
		driver = "raw_exec"
		artifact { source = "`+source+`" }
		config {
			command = "/bin/sh"
			args    = ["-c", "cat local/program.txt; exec sleep 1000"]
		}
	}`))
	server.await(t, id, "running")
	dir, err := node.AllocationDir(id)
	require.NoError(t, err)
	printed := func() string {
		text, _ := os.ReadFile(dir.LogFile("t", "stdout", 0))
		return string(text)
	}
	eventually(t, "it has the artifact", func() bool { return printed() == "text" })
	require.NoError(t, node.RestartAllocation(id, "t"))
	eventually(t, "it has it again", func() bool { return printed() == "texttext" })
	events := strings.Join(shown(server.get(id).TaskStates["t"]), "\n")
	require.Equal(t, 1, strings.Count(events, "Downloading Artifacts: Client is downloading artifacts"))
}

func TestMissingArtifactFailsTheTask(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "batch", `task "t" {
		driver = "mock_driver"
		artifact { source = "http://127.0.0.1:1/x" }
		restart {
			attempts = 0
			mode     = "fail"
		}
	}`))
	events := shown(server.await(t, id, "failed").TaskStates["t"])
	require.Contains(t, events[3], `Failed Artifact Download: failed to download artifact "http://127.0.0.1:1/x"`)
	require.Equal(t, "Not Restarting: Policy allows no restarts", events[4])
}

func TestDispatchPayload(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	job := taskJob(t, "batch", `task "t" {
		driver = "raw_exec"
		dispatch_payload { file = "in/put.txt" }
		config {
			command = "/bin/cat"
			args    = ["local/in/put.txt"]
		}
	}`)
	job.Payload = []byte("dispatched")
	id := server.place(job)
	server.await(t, id, "complete")
	dir, err := node.AllocationDir(id)
	require.NoError(t, err)
	text, err := os.ReadFile(dir.LogFile("t", "stdout", 0))
	require.NoError(t, err)
	require.Equal(t, "dispatched", string(text))
}

func TestIdentitiesAreRenewed(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	id := server.place(taskJob(t, "service", `task "t" {
		driver = "raw_exec"
		identity {
			name        = "web"
			aud         = ["a"]
			file        = true
			filepath    = "local/web.jwt"
			ttl         = "1s"
			change_mode = "restart"
		}
		config {
			command = "/bin/sleep"
			args    = ["1000"]
		}
	}`))
	server.await(t, id, "running")
	dir, err := node.AllocationDir(id)
	require.NoError(t, err)
	first, err := os.ReadFile(filepath.Join(dir.Task("t").Local(), "web.jwt"))
	require.NoError(t, err)
	require.Contains(t, string(first), "token of t, web")
	eventually(t, "the task is restarted for a new token", func() bool {
		return strings.Contains(strings.Join(shown(server.get(id).TaskStates["t"]), "\n"), "Restart Signaled: Identity[web]: new token acquired")
	})
	second, err := os.ReadFile(filepath.Join(dir.Task("t").Local(), "web.jwt"))
	require.NoError(t, err)
	require.NotEqual(t, string(first), string(second))
}

func TestIdentitiesThatNobodyReadsAreNotSigned(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "batch", `task "t" {
		driver = "raw_exec"
		identity {
			aud = ["nomadproject.io"]
		}
		config {
			command = "/bin/true"
		}
	}`))
	server.await(t, id, "complete")
	server.mu.Lock()
	defer server.mu.Unlock()
	require.Zero(t, server.signed)
}

// serverAt is a fakeServer with an HTTP API.
type serverAt struct {
	*fakeServer
	url string
}

func (s serverAt) URL() string { return s.url }

func TestTaskReachesTheAPI(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "asked for "+r.URL.Path)
	}))
	t.Cleanup(web.Close)
	server := serverAt{newFakeServer(), web.URL}
	short, err := os.MkdirTemp("", "n") // a socket's path is short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(short) })
	node := testNode(t, server, func(o *Options) { o.Dir = short })
	id := server.place(taskJob(t, "service", `task "t" {
		driver = "raw_exec"
		identity { env = true }
		config {
			command = "/bin/sh"
			args    = ["-c", "echo $NOMAD_UNIX_ADDR; exec sleep 1000"]
		}
	}`))
	server.await(t, id, "running")
	dir, err := node.AllocationDir(id)
	require.NoError(t, err)
	socket := filepath.Join(dir.Task("t").Secrets(), "api.sock")
	eventually(t, "the task knows", func() bool {
		text, _ := os.ReadFile(dir.LogFile("t", "stdout", 0))
		return string(text) == "unix://"+socket+"\n"
	})
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	response, err := client.Get("http://nomad/v1/jobs")
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "asked for /v1/jobs", string(text))
}

func TestNoMoreThanTenEvents(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "batch", `task "t" {
		driver = "mock_driver"
		config { exit_code = 1 }
		restart {
			attempts = 20
			delay    = "1ms"
			interval = "1h"
			mode     = "fail"
		}
	}`))
	state := server.await(t, id, "failed").TaskStates["t"]
	require.Len(t, state.Events, 10)
	require.EqualValues(t, 20, state.Restarts)
	require.Equal(t, "Not Restarting", state.Events[9].Type)
}

func TestRestartThatIsWaitedForEndsWithTheAllocation(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "service", `task "t" {
		driver = "mock_driver"
		config { exit_code = 1 }
		restart {
			attempts = 1
			delay    = "1h"
			interval = "2h"
			mode     = "delay"
		}
	}`))
	eventually(t, "it waits", func() bool {
		state := server.get(id).TaskStates["t"]
		return state != nil && state.Restarts == 1
	})
	require.Equal(t, "pending", server.get(id).TaskStates["t"].State)
	server.stop(id)
	state := server.await(t, id, "complete").TaskStates["t"]
	require.Equal(t, "Killing", state.Events[len(state.Events)-1].Type)
}

func TestRestartPolicyThatDelays(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "service", `task "t" {
		driver = "mock_driver"
		config { exit_code = 1 }
		restart {
			attempts = 0
			delay    = "1ms"
			interval = "1h"
			mode     = "delay"
		}
	}`))
	eventually(t, "it waits for the next interval", func() bool {
		state := server.get(id).TaskStates["t"]
		return state != nil && state.Restarts == 1
	})
	event := server.get(id).TaskStates["t"].Events[4]
	require.Regexp(t, `^Exceeded allowed attempts, applying a delay - Task restarting in 59m59\.`, event.DisplayMessage)
	require.Greater(t, event.StartDelay, int64(time.Hour-time.Minute))
	require.Equal(t, "Exceeded allowed attempts, applying a delay", event.Details["restart_reason"])
}

func TestUpdateInPlace(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	text := `update {
		min_healthy_time = "1ms"
	}
	task "t" {
		driver       = "mock_driver"
		kill_timeout = "KILL"
		config { run_for = "1h" }
	}`
	id := server.place(taskJob(t, "service", strings.ReplaceAll(text, "KILL", "5s")), func(a *api.Allocation) { a.DeploymentID = "first" })
	healthy := func() bool {
		status := server.get(id).DeploymentStatus
		return status != nil && status.Healthy != nil && *status.Healthy
	}
	eventually(t, "it is healthy", healthy)
	next := taskJob(t, "service", strings.ReplaceAll(text, "KILL", "7s"))
	server.change(id, func(a *api.Allocation) {
		a.Job, a.DeploymentID, a.DeploymentStatus = next, "second", nil
	})
	eventually(t, "it is healthy for the new deployment as well", healthy)
	server.stop(id)
	state := server.await(t, id, "complete").TaskStates["t"]
	require.Contains(t, shown(state), "Killing: Sent interrupt. Waiting 7s before force killing")
	require.Zero(t, state.Restarts)
}

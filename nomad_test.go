package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNomadUnderItsOwnName(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"nomad", "agent", "-dev"}, programArgs([]string{"/usr/bin/nomad", "agent", "-dev"}))
	assert.Equal(t, []string{"nomad", "version"}, programArgs([]string{"/usr/bin/nomad", "-version"}))
	assert.Equal(t, []string{"nomad", "version"}, programArgs([]string{"/usr/bin/drydock", "nomad", "-version"}))
}

// killableNomad is a program that the test kills and starts again in its folder.
type killableNomad struct {
	*exec.Cmd
	config string
	client *api.Client
}

func newKillableNomad(t *testing.T) *killableNomad {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	config := filepath.Join(dir, "nomad.json")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `{"data_dir": %q, "bind_addr": "127.0.0.1",
		"server": {"enabled": true}, "client": {"enabled": true}, "ports": {"http": %d, "rpc": %d, "serf": %d}}`,
		filepath.Join(dir, "data"), port, freePort(t), freePort(t)), 0o600))
	client, err := api.NewClient(&api.Config{
		Address:    "http://127.0.0.1:" + strconv.Itoa(port),
		HttpClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	require.NoError(t, err)
	return &killableNomad{config: config, client: client}
}

func (a *killableNomad) start(t *testing.T) {
	t.Helper()
	a.Cmd = exec.Command(filepath.Join(programs(t), "drydock"), "nomad", "agent", "-config", a.config)
	require.NoError(t, a.Cmd.Start())
	process := a.Process
	t.Cleanup(func() { process.Kill() })
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		_, err := a.client.Agent().Self()
		assert.NoError(t, err)
	}, time.Minute, 5*time.Millisecond)
}

func (a *killableNomad) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, a.Process.Kill())
	require.Error(t, a.Wait())
}

// load registers jobs until the agent is gone, and tells which were acknowledged.
func (a *killableNomad) load(client int, registered func(id string)) {
	for i := 0; ; i++ {
		id := fmt.Sprintf("job-%d-%d-%d", a.Process.Pid, client, i)
		task := api.NewTask("task", "mock_driver").SetConfig("run_for", "1h").Require(&api.Resources{CPU: new(1), MemoryMB: new(10)})
		group := api.NewTaskGroup("group", 1).AddTask(task)
		task.LogConfig = &api.LogConfig{MaxFiles: new(1), MaxFileSizeMB: new(1)}
		group.EphemeralDisk = &api.EphemeralDisk{SizeMB: new(10)}
		_, _, err := a.client.Jobs().Register(api.NewServiceJob(id, id, "global", 50).AddDatacenter("*").AddTaskGroup(group), nil)
		if err != nil {
			return
		}
		registered(id)
	}
}

// What was acknowledged is there again after the program was killed under
// load, at whatever moment, and runs again.
func TestNomadAgentKilledUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	const clients, kills, each = 4, 3, 15
	agent := newKillableNomad(t)
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	for range kills {
		agent.start(t)
		mu.Lock()
		enough := len(acknowledged) + each
		mu.Unlock()
		reached := make(chan struct{})
		var loading sync.WaitGroup
		for client := range clients {
			loading.Go(func() {
				agent.load(client, func(id string) {
					mu.Lock()
					defer mu.Unlock()
					acknowledged[id] = true
					if len(acknowledged) == enough {
						close(reached)
					}
				})
			})
		}
		select {
		case <-reached:
		case <-time.After(time.Minute):
			assert.Fail(t, "too few jobs are registered")
		}
		agent.kill(t) // while the clients are on their way
		loading.Wait()
	}
	agent.start(t)
	for id := range acknowledged {
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			list, _, err := agent.client.Jobs().Allocations(id, false, nil)
			var refused api.UnexpectedResponseError
			assert.False(t, errors.As(err, &refused), "%v", err)
			running := 0
			for _, a := range list {
				if a.ClientStatus == api.AllocClientStatusRunning {
					running++
				}
			}
			assert.Equal(t, 1, running, "job %s", id)
		}, time.Minute, 10*time.Millisecond)
	}
	require.NoError(t, agent.Process.Signal(os.Interrupt))
	require.NoError(t, agent.Wait(), "it stops cleanly")
}

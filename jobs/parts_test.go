package jobs_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	consulapi "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/conformance/parity"
	"github.com/drydock/drydock/emulator/consul"
	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/jobs"
)

const (
	deployWait = 3 * time.Minute
	pollPause  = 100 * time.Millisecond
)

// volumes are the host volumes of the parts.
var volumes = []string{"nats", "minio", "postgres"}

// cluster is where the test runs jobs: a Nomad with its Consul.
type cluster struct {
	nomad  *api.Client
	consul *consulapi.Client
}

// volumesFolder makes a folder that holds the volumes.
func volumesFolder(t *testing.T) string {
	t.Helper()
	// Not below t.TempDir: its parent is for nobody but root.
	dir, err := os.MkdirTemp("", "drydock-volumes-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	for _, name := range volumes {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	return dir
}

// emulated starts the emulator with nodes of these addresses, each with volumes of its own.
func emulated(t *testing.T, addresses ...string) cluster {
	t.Helper()
	c, err := consul.Start(t.Context(), consul.Options{EagerChecks: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	region := nomad.Region{}
	for i, address := range addresses {
		dir := volumesFolder(t)
		node := nomad.Node{
			Name: fmt.Sprint("node-", i+1), Address: address,
			Meta:        map[string]string{"volumes": dir, "zone": string(rune('a' + i))},
			HostVolumes: map[string]*api.HostVolumeInfo{},
		}
		for _, name := range volumes {
			node.HostVolumes[name] = &api.HostVolumeInfo{Path: filepath.Join(dir, name)}
		}
		region.Nodes = append(region.Nodes, node)
	}
	n, err := nomad.Start(t.Context(), nomad.Options{Regions: []nomad.Region{region}, Consul: c.URL("dc1")})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return connect(t, n.URL("global"), c.URL("dc1"))
}

func connect(t *testing.T, nomadURL, consulURL string) cluster {
	t.Helper()
	n, err := api.NewClient(&api.Config{Address: nomadURL})
	require.NoError(t, err)
	t.Cleanup(n.Close)
	c, err := consulapi.NewClient(&consulapi.Config{Address: consulURL})
	require.NoError(t, err)
	return cluster{nomad: n, consul: c}
}

// program is the path of a real program.
func program(t *testing.T, name string) string {
	t.Helper()
	return parity.RealProgram(t, "../scripts/real.sh", name)
}

// real starts the real Consul and the real Nomad.
func real(t *testing.T) cluster {
	t.Helper()
	consulProgram, nomadProgram := program(t, "consul"), program(t, "nomad")
	dir := volumesFolder(t)
	ports := parity.FreePorts(t, 9)
	consulURL, nomadURL := fmt.Sprint("127.0.0.1:", ports[0]), fmt.Sprint("http://127.0.0.1:", ports[6])
	settings := fmt.Sprintf(`
bind_addr            = "127.0.0.1"
disable_update_check = true
data_dir             = %[1]q

advertise {
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}

ports {
  http = %[2]d
  rpc  = %[3]d
  serf = %[4]d
}

server {
  enabled          = true
  bootstrap_expect = 1
}

client {
  enabled           = true
  network_interface = "lo"

  meta {
    volumes = %[5]q
  }

  options = {
    "driver.allowlist"     = "raw_exec"
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean"
  }

%[6]s
}

plugin "raw_exec" {
  config {
    enabled = true
  }
}

consul {
  address          = %[7]q
  server_auto_join = false
}
`, filepath.Join(dir, "nomad"), ports[6], ports[7], ports[8], dir, hostVolumes(dir), consulURL)
	file := filepath.Join(t.TempDir(), "nomad.hcl")
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o600))

	run(t, consulProgram, "agent", "-dev", "-bind=127.0.0.1", "-log-level=err", fmt.Sprint("-http-port=", ports[0]), fmt.Sprint("-dns-port=", ports[1]),
		fmt.Sprint("-grpc-port=", ports[2]), "-grpc-tls-port=-1", fmt.Sprint("-server-port=", ports[3]),
		fmt.Sprint("-serf-lan-port=", ports[4]), fmt.Sprint("-serf-wan-port=", ports[5]))
	stack := connect(t, nomadURL, "http://"+consulURL)
	eventually(t, "Consul has a leader", func() error {
		leader, err := stack.consul.Status().Leader()
		if err == nil && leader == "" {
			err = errors.New("it has none yet")
		}
		return err
	})
	run(t, nomadProgram, "agent", "-config="+file)
	eventually(t, "Nomad has its node", func() error {
		nodes, _, err := stack.nomad.Nodes().List(nil)
		if err == nil && (len(nodes) == 0 || nodes[0].Status != api.NodeStatusReady) {
			err = errors.New("it has none yet")
		}
		return err
	})
	t.Cleanup(func() { stack.removeAll(t, filepath.Join(dir, "nomad", "alloc")) })
	return stack
}

func hostVolumes(dir string) string {
	var text strings.Builder
	for _, name := range volumes {
		fmt.Fprintf(&text, "  host_volume %q {\n    path = %q\n  }\n", name, filepath.Join(dir, name))
	}
	return text.String()
}

// run starts a program that is stopped at the end of the test.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	command := exec.Command(name, args...)
	command.Stdout, command.Stderr = log, log
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		assert.NoError(t, command.Process.Signal(os.Interrupt))
		command.Wait() // reports the signal
		log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s: …%s", filepath.Base(name), text[max(0, len(text)-4000):])
		}
	})
}

// removeAll removes every job, and waits until nothing of it is left, neither
// processes, which outlive the real agent, nor folders with mounts.
func (c cluster) removeAll(t *testing.T, allocations string) {
	list, _, err := c.nomad.Jobs().List(nil)
	require.NoError(t, err)
	for _, job := range list {
		_, _, err := c.nomad.Jobs().Deregister(job.ID, true, nil)
		assert.NoError(t, err)
	}
	eventually(t, "nothing is left", func() error {
		if err := c.nomad.System().GarbageCollect(); err != nil {
			return err
		}
		left, err := os.ReadDir(allocations)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%d allocations are", len(left))
		}
		return err
	})
}

// eventually tries until there is no error.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.After(deployWait)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			require.NoError(t, err, "%s", what)
		case <-time.After(pollPause):
		}
	}
}

// put gives a job the items of its variable.
func (c cluster) put(t *testing.T, job string, items map[string]string) {
	t.Helper()
	_, _, err := c.nomad.Variables().Update(&api.Variable{Path: jobs.VariablePath(job), Items: items}, nil)
	require.NoError(t, err)
}

// deploy runs a job file, and waits until the deployment is successful.
func (c cluster) deploy(t *testing.T, name string, variables map[string]string) {
	t.Helper()
	job, err := jobs.Read(jobs.Files, name, variables)
	require.NoError(t, err)
	require.Equal(t, variables, job.Variables, "all of them are declared")
	registered, _, err := c.nomad.Jobs().Register(job.Job, nil)
	require.NoError(t, err)
	require.NotEmpty(t, registered.EvalID)
	eventually(t, name+" is deployed", func() error {
		deployment, _, err := c.nomad.Jobs().LatestDeployment(name, nil)
		if err != nil || deployment == nil || deployment.JobModifyIndex < registered.JobModifyIndex {
			return errors.Join(err, errors.New("there is no deployment"), c.why(name))
		}
		if deployment.Status != api.DeploymentStatusSuccessful {
			return errors.Join(fmt.Errorf("%s: %s", deployment.Status, deployment.StatusDescription), c.why(name))
		}
		return nil
	})
}

// why tells what happened to a job's tasks, and what they said at last.
func (c cluster) why(name string) error {
	evaluations, _, err := c.nomad.Jobs().Evaluations(name, nil)
	for _, e := range evaluations {
		for group, failed := range e.FailedTGAllocs {
			err = errors.Join(err, fmt.Errorf("evaluation of %s: %+v", group, *failed))
		}
	}
	list, _, failed := c.nomad.Jobs().Allocations(name, false, nil)
	err = errors.Join(err, failed)
	for _, stub := range list {
		for task, state := range stub.TaskStates {
			for _, event := range state.Events {
				err = errors.Join(err, fmt.Errorf("%s %s: %s %s", stub.ID[:8], task, event.Type, event.DisplayMessage))
			}
		}
	}
	return err
}

// allocation is the one that runs of a job, restarted or not.
func (c cluster) allocation(t *testing.T, name string) *api.Allocation {
	t.Helper()
	var found *api.Allocation
	eventually(t, name+" runs", func() error {
		list, _, err := c.nomad.Jobs().Allocations(name, false, nil)
		if err != nil {
			return err
		}
		for _, stub := range list {
			if stub.ClientStatus == api.AllocClientStatusRunning && stub.DesiredStatus == api.AllocDesiredStatusRun {
				found, _, err = c.nomad.Allocations().Info(stub.ID, nil)
				return err
			}
		}
		return errors.New("no allocation runs")
	})
	return found
}

// restart has the tasks of a job's one allocation stop and start again, and
// waits until all of them have.
func (c cluster) restart(t *testing.T, name string) {
	t.Helper()
	allocation := c.allocation(t, name)
	before := c.began(t, allocation.ID)
	require.NoError(t, c.nomad.Allocations().RestartAllTasks(allocation, nil))
	eventually(t, name+" has restarted", func() error {
		now := c.began(t, allocation.ID)
		for task, began := range before {
			if !now[task].After(began) {
				return fmt.Errorf("task %s has not", task)
			}
		}
		return nil
	})
}

// began is when the allocation's tasks that run began.
func (c cluster) began(t *testing.T, id string) map[string]time.Time {
	t.Helper()
	allocation, _, err := c.nomad.Allocations().Info(id, nil)
	require.NoError(t, err)
	began := map[string]time.Time{}
	for name, state := range allocation.TaskStates {
		if state.State == "running" {
			began[name] = state.StartedAt
		}
	}
	return began
}

// address is where Consul says that the healthy instance of a service is.
func (c cluster) address(t *testing.T, service string) string {
	t.Helper()
	var address string
	eventually(t, service+" is healthy in Consul", func() error {
		entries, _, err := c.consul.Health().Service(service, "", true, nil)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return errors.New("no instance is")
		}
		address = net.JoinHostPort(entries[0].Service.Address, strconv.Itoa(entries[0].Service.Port))
		return nil
	})
	return address
}

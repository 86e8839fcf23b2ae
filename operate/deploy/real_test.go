package deploy_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/conformance/parity"
)

// TestOnTheRealNomad does what other tests do, one after the other.
func TestOnTheRealNomad(t *testing.T) {
	t.Parallel()
	client, folder := realNomad(t)
	for name, scenario := range map[string]func(*testing.T, *api.Client){
		"deployed again": again, "several at once": severalAtOnce, "updated": updated,
		"taken back": takenBack, "tried again": triedAgain, "canaries": canaries,
	} {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() { assert.NoError(t, removeAll(client, folder)) })
			scenario(t, client)
		})
	}
}

// realNomad starts the real program, and connects to it. The folder is that of
// its allocations.
func realNomad(t *testing.T) (client *api.Client, folder string) {
	t.Helper()
	program, ports := parity.RealProgram(t, "../../scripts/real.sh", "nomad"), parity.FreePorts(t, 3)
	file, data := filepath.Join(t.TempDir(), "nomad.hcl"), t.TempDir()
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `
ports {
  http = %d
  rpc  = %d
  serf = %d
}
client {
  cpu_total_compute = 10000
  options = {
    "driver.allowlist"     = "raw_exec"
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean"
  }
}
consul {
  auto_advertise   = false
  server_auto_join = false
  client_auto_join = false
}
`, ports[0], ports[1], ports[2]), 0o600))
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	agent := exec.Command(program, "agent", "-dev", "-config="+file, "-data-dir="+data)
	agent.Stdout, agent.Stderr = log, log
	require.NoError(t, agent.Start())
	t.Cleanup(func() {
		assert.NoError(t, agent.Process.Signal(os.Interrupt))
		agent.Wait() // reports the signal
		log.Close()
	})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err = api.NewClient(&api.Config{Address: fmt.Sprint("http://127.0.0.1:", ports[0]), HttpClient: &http.Client{Transport: transport}})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		nodes, _, err := client.Nodes().List(nil)
		return err == nil && len(nodes) == 1 && nodes[0].Status == api.NodeStatusReady
	}, 2*time.Minute, 100*time.Millisecond, "the node is ready")
	return client, filepath.Join(data, "alloc")
}

// removeAll removes all jobs and the variables, and waits until nothing is left
// of them, neither processes, which outlive the agent, nor folders with mounts.
func removeAll(client *api.Client, folder string) error {
	list, _, err := client.Jobs().List(nil)
	for _, job := range list {
		_, _, failed := client.Jobs().Deregister(job.ID, true, nil)
		err = errors.Join(err, failed)
	}
	variables, _, failed := client.Variables().List(nil)
	err = errors.Join(err, failed)
	for _, v := range variables {
		_, failed := client.Variables().Delete(v.Path, nil)
		err = errors.Join(err, failed)
	}
	for deadline := time.Now().Add(time.Minute); err == nil; <-time.After(100 * time.Millisecond) {
		err = client.System().GarbageCollect()
		left, failed := os.ReadDir(folder)
		if err = errors.Join(err, failed); len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d allocations are left", len(left))
		}
	}
	return err
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/conformance/parity"
	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/emulator/nomad/config"
	"github.com/drydock/drydock/operate/agents"
)

// settings are those of both agents.
const settings = `
name                 = "n1"
bind_addr            = "127.0.0.1"
disable_update_check = true
enable_debug         = true

ports {
  http = %d
  rpc  = %d
  serf = %d
}

client {
  cpu_total_compute = 4000
  memory_total_mb   = 4096
  host_volumes_dir  = %q

  host_volume "shared" {
    path = %q
  }

  disk_total_mb     = 10240
  disk_free_mb      = 10240

  options = {
    "driver.allowlist"     = "mock_driver,raw_exec"
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean"
  }
}

consul {
  auto_advertise   = false
  server_auto_join = false
  client_auto_join = false
}
%s`

// realNomad is the path of the real program.
func realNomad(t *testing.T) string {
	return parity.RealProgram(t, "../../../scripts/real.sh", "nomad")
}

// agent is one that runs.
type agent struct{ url, port string }

// startReal starts the real program with further settings.
func startReal(t *testing.T, program, further string) agent {
	t.Helper()
	a, file := prepare(t, further)
	var output bytes.Buffer
	process := exec.Command(program, "agent", "-dev", "-config="+file)
	process.Stdout, process.Stderr = &output, &output
	stack := filepath.Dir(file)
	process.Env = append(os.Environ(), agents.Environment(stack, os.Getenv("PATH"))...)
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		assert.NoError(t, process.Process.Signal(os.Interrupt))
		process.Wait() // reports the signal
		// A task that has just started may leave the process that writes its log.
		_, err := agents.EndLeft(context.Background(), stack, 0)
		assert.NoError(t, err)
	})
	if !assert.Eventually(t, a.isReady, time.Minute, 50*time.Millisecond) {
		t.Fatalf("the real Nomad did not start:\n%s", &output)
	}
	return a
}

// startEmulated starts the emulator so.
func startEmulated(t *testing.T, further string) agent {
	t.Helper()
	a, file := prepare(t, further)
	c, err := config.Load([]string{"-dev", "-config=" + file})
	require.NoError(t, err)
	n, err := nomad.Start(t.Context(), c.Options)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return a
}

// prepare writes the settings of an agent, and returns where it is going to be.
func prepare(t *testing.T, further string) (a agent, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "settings.hcl")
	ports := parity.FreePorts(t, 3)
	text := fmt.Sprintf(settings, ports[0], ports[1], ports[2], filepath.Join(dir, "volumes"), dir, further)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	return agent{fmt.Sprint("http://127.0.0.1:", ports[0]), fmt.Sprint(ports[0])}, file
}

// isReady reports whether the agent has a key to sign with, its last step as a
// server, and its node is ready, or may not be seen.
func (a agent) isReady() bool {
	status, nodes := a.get("/v1/nodes")
	ready := status == http.StatusForbidden || strings.Contains(nodes, `"Status":"ready"`)
	_, keys := a.get("/.well-known/jwks.json")
	return ready && strings.Contains(keys, `"kid"`)
}

// get is the status and the body of an answer; 0 where there is none.
func (a agent) get(path string) (status int, body string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(a.url + path)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(read)
}

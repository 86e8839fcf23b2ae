package containers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/emulator/conformance/parity"
	"github.com/drydock/drydock/operate/deploy"
)

// cluster is a Nomad and a Consul, emulated or real, and the parts of the
// platform, which are those of the offline stack for both.
type cluster struct {
	nomad  *nomad.Client
	consul *consul.Client
	parts  *emulator.Stack
}

// startParts starts the offline stack without jobs.
func startParts(t *testing.T) *emulator.Stack {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	parts, err := emulator.Start(ctx, emulator.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, parts.Close()) })
	return parts
}

func newCluster(t *testing.T, parts *emulator.Stack, nomadURL, consulURL string) cluster {
	t.Helper()
	n, err := nomad.NewClient(&nomad.Config{Address: nomadURL})
	require.NoError(t, err)
	t.Cleanup(n.Close)
	c, err := consul.NewClient(&consul.Config{Address: consulURL})
	require.NoError(t, err)
	return cluster{nomad: n, consul: c, parts: parts}
}

// emulated is the cluster of the offline stack itself.
func emulated(t *testing.T) cluster {
	parts := startParts(t)
	return newCluster(t, parts, parts.NomadURL(), parts.Consul.URL("dc1"))
}

// settings are those of the real Nomad. Images that nothing uses stay: there is
// no registry that could bring them back.
const settings = `
bind_addr            = "127.0.0.1"
data_dir             = %q
disable_update_check = true

advertise {
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}

ports {
  http = %d
  rpc  = %d
  serf = %d
}

server {
  enabled          = true
  bootstrap_expect = 1
}

client {
  enabled           = true
  network_interface = "lo"

  options = {
    "driver.allowlist"     = "docker"
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean"
  }

%s}

plugin "docker" {
  config {
    endpoint = %q

    gc {
      image = false
    }
  }
}

consul {
  address = "127.0.0.1:%d"
}
`

// real is a cluster of the real programs.
func real(t *testing.T) cluster {
	parts := startParts(t)
	dir := t.TempDir()
	ports := parity.FreePorts(t, 9)
	consulURL := fmt.Sprint("http://127.0.0.1:", ports[0])
	start(t, "consul", consulURL+"/v1/status/leader", "agent", "-dev", "-bind=127.0.0.1", "-log-level=error",
		"-http-port", fmt.Sprint(ports[0]), "-dns-port", fmt.Sprint(ports[1]), "-grpc-port", fmt.Sprint(ports[2]), "-grpc-tls-port", "-1",
		"-server-port", fmt.Sprint(ports[3]), "-serf-lan-port", fmt.Sprint(ports[4]), "-serf-wan-port", fmt.Sprint(ports[5]))
	engine := os.Getenv("DOCKER_HOST")
	if engine == "" {
		engine = "unix:///var/run/docker.sock"
	}
	file := filepath.Join(dir, "nomad.hcl")
	var volumes strings.Builder
	for _, name := range platform {
		folder := filepath.Join(dir, name)
		require.NoError(t, os.Mkdir(folder, 0o755))
		fmt.Fprintf(&volumes, "  host_volume %q {\n    path = %q\n  }\n", name, folder)
	}
	text := fmt.Sprintf(settings, filepath.Join(dir, "data"), ports[6], ports[7], ports[8], &volumes, engine, ports[0])
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	nomadURL := fmt.Sprint("http://127.0.0.1:", ports[6])
	start(t, "nomad", nomadURL+"/v1/nodes", "agent", "-config", file, "-log-level", "error")
	c := newCluster(t, parts, nomadURL, consulURL)
	t.Cleanup(func() {
		c.stopJobs(t)
		// The folders of allocations are mounts until Nomad removes them.
		assert.NoError(t, c.nomad.System().GarbageCollect())
		assert.Eventually(t, func() bool {
			left, err := os.ReadDir(filepath.Join(dir, "data", "alloc"))
			return err == nil && len(left) == 0
		}, within, 50*time.Millisecond, "Nomad does not remove its allocations")
	})
	return c
}

// start starts a real program until the test ends, and waits until it answers
// with something in it.
func start(t *testing.T, name, url string, args ...string) {
	t.Helper()
	program := parity.RealProgram(t, filepath.Join(root, "scripts/real.sh"), name)
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	require.NoError(t, err)
	t.Cleanup(func() { log.Close() })
	process := exec.Command(program, args...)
	process.Stdout, process.Stderr = log, log
	require.NoError(t, process.Start())
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	t.Cleanup(func() {
		_ = process.Process.Signal(os.Interrupt) // it may have ended
		<-ended
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s:\n%s", name, text)
		}
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	require.Eventually(t, func() bool {
		response, err := client.Get(url)
		if err != nil {
			return len(ended) > 0
		}
		defer response.Body.Close()
		var said any
		err = json.NewDecoder(response.Body).Decode(&said)
		list, isList := said.([]any)
		return err == nil && said != "" && (!isList || len(list) > 0)
	}, within, 50*time.Millisecond, "%s does not start", name)
	require.Empty(t, ended, "%s has ended", name)
}

// stopJobs stops all, and waits until nothing of them runs.
func (c cluster) stopJobs(t *testing.T) {
	list, _, err := c.nomad.Jobs().List(nil)
	require.NoError(t, err)
	for _, job := range list {
		_, _, err := c.nomad.Jobs().Deregister(job.ID, false, nil)
		assert.NoError(t, err)
	}
	assert.Eventually(t, func() bool {
		allocations, _, err := c.nomad.Allocations().List(nil)
		for _, a := range allocations {
			if a.ClientStatus == nomad.AllocClientStatusPending || a.ClientStatus == nomad.AllocClientStatusRunning {
				return false
			}
		}
		return err == nil
	}, within, 200*time.Millisecond, "the jobs do not stop")
}

// deployOptions have the cluster run jobs as containers.
func (c cluster) deployOptions(t *testing.T) deploy.Options {
	t.Helper()
	return deploy.Options{
		Nomad: c.nomad, Consul: c.consul,
		Variables: map[string]string{"driver": "docker"},
		Addresses: map[string]string{
			"objects": hostOf(t, c.parts.S3URL()), "market": hostOf(t, c.parts.Market.URL()), "mail": hostOf(t, c.parts.Mail.SMTPURL()),
		},
		Items: map[string]string{
			"bus": c.parts.NATSURL(), "access_key": "drydock", "secret_key": rootKey(t, c.parts),
			"mail_from": "alerts@drydock.example", "public_url": "http://127.0.0.1",
		},
		Progress: func(e deploy.Event) {
			if e.State == deploy.Healthy || e.State == deploy.Failed {
				t.Logf("%-12s %-8s %s %s", e.Job, e.State, e.Took.Round(time.Millisecond), e.Detail)
			}
		},
	}
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	return parsed.Host
}

// rootKey is the secret of the object store's key that may do everything.
func rootKey(t *testing.T, parts *emulator.Stack) string {
	t.Helper()
	text, err := os.ReadFile(parts.KeysFile())
	require.NoError(t, err)
	var keys map[string]string
	require.NoError(t, json.Unmarshal(text, &keys))
	return keys["drydock"]
}

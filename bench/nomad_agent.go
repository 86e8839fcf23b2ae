package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/nomad/api"
)

const (
	nomadPoll = 5 * time.Millisecond // between two looks at what is waited for
	// nodesPoll is the same for many nodes, a look at which is work for the agent.
	nodesPoll = 25 * time.Millisecond
)

// nomadConfig is how both agents are configured: nodes that hold any number of
// allocations, and as many connections as there are. A cloud's metadata service
// is not asked, as its answer may take seconds, nor is Consul.
const nomadConfig = `
bind_addr = "127.0.0.1"
log_level = "WARN"
ports {
  http = %s
  rpc  = %s
  serf = %s
}
limits {
  http_max_conns_per_client = 0
}
client {
  cpu_total_compute = 1000000
  memory_total_mb   = 10000000
  disk_total_mb     = 10000000
  gc_max_allocs     = 20000
  options           = { "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean" }
}
consul {
  auto_advertise   = false
  server_auto_join = false
  client_auto_join = false
}
`

// nomad is a running agent.
type nomad struct {
	server  *server
	address string // of its API
	client  *api.Client
	plain   *http.Client  // for what is not worth compressing
	started time.Duration // from its start until it was ready
}

// startNomad starts an agent with so many nodes, and returns when they are ready.
// What it leaves behind is in the folder.
func startNomad(ctx context.Context, dir string, command []string, nodes int, args ...string) (*nomad, error) {
	var ports [3]string
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	config := filepath.Join(dir, "nomad.hcl")
	if err := os.WriteFile(config, fmt.Appendf(nil, nomadConfig, ports[0], ports[1], ports[2]), 0o600); err != nil {
		return nil, err
	}
	n := &nomad{
		address: net.JoinHostPort("127.0.0.1", ports[0]),
		plain:   &http.Client{Transport: &http.Transport{DisableCompression: true}},
	}
	var err error
	if n.client, err = api.NewClient(&api.Config{Address: "http://" + n.address}); err != nil {
		return nil, err
	}
	all := append(command[1:len(command):len(command)], "-dev", "-config="+config)
	began := time.Now()
	if n.server, err = startServer(ctx, nil, []string{"TMPDIR=" + dir}, command[0], append(all, args...)...); err != nil {
		return nil, err
	}
	period := nomadPoll
	if nodes > 1 {
		period = nodesPoll
	}
	if err := n.server.awaitEvery(ctx, period, func() bool { return n.ready(nodes) }); err != nil {
		return nil, errors.Join(err, n.server.Close())
	}
	n.started = time.Since(began)
	return n, nil
}

// ready reports whether the agent has a leader, and so many nodes that take allocations.
func (n *nomad) ready(nodes int) bool {
	if leader, err := n.client.Status().Leader(); err != nil || leader == "" {
		return false
	}
	answer, err := n.plain.Get("http://" + n.address + "/v1/nodes")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	list, err := io.ReadAll(answer.Body)
	return err == nil && bytes.Count(list, []byte(`"Status":"ready"`)) == nodes
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

package cluster

import (
	"context"
	"flag"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/agents"
)

var zones = flag.Bool("zones", false, "test with real agents that each zone in turn may fail")

// failover is how long it may take until the other zones have taken over, on a
// machine that is busy.
const failover = 45 * time.Second

// impatient asks again rather than wait for a leader that is gone.
var impatient = &http.Client{Timeout: 2 * time.Second}

// sleeper is a job with a task in each zone, which mounts what tasks have mounted.
const sleeper = `
job "sleeper" {
  group "sleeper" {
    count = 3
    constraint {
      distinct_property = "${meta.zone}"
    }
    task "sleeper" {
      driver = "raw_exec"
      config {
        command = "sleep"
        args    = ["1000"]
      }
      resources {
        cpu    = 10
        memory = 10
      }
    }
  }
}`

func TestEachZoneInTurnMayFail(t *testing.T) {
	if !*zones {
		t.Skip("stops each of three zones, which takes a minute and root: go test ./operate/cluster -zones")
	}
	require.NoError(t, check())
	path := testPath(t)
	at := site{name: "ddtest", dir: filepath.Join(t.TempDir(), "cluster"), etc: "/etc/netns"}
	t.Cleanup(func() {
		require.NoError(t, down(context.Background(), at))
		assertNothingLeft(t, at)
		require.NoError(t, down(context.Background(), at), "removing what is not there")
	})
	stack, err := up(t.Context(), at, Options{Path: path, Out: t.Output()})
	require.NoError(t, err)

	_, err = up(t.Context(), at, Options{Path: path, Out: t.Output()})
	require.ErrorIs(t, err, errIsUp)
	found, err := open(at)
	require.NoError(t, err)
	require.Equal(t, stack, found)
	for _, z := range stack.Zones {
		assertResolver(t, at, z)
	}
	register(t, stack.Zones[0])

	for i, stopped := range stack.Zones {
		other := stack.Zones[(i+1)%len(stack.Zones)]
		waitUntil(t, "a task runs in zone "+stopped.Name, func() bool { return running(t, other, stopped) })
		began := time.Now()
		require.NoError(t, stack.StopZone(t.Context(), stopped.Name))
		runs, err := inhabited(at.namespace(stopped.Name))
		require.NoError(t, err)
		require.False(t, runs)
		waitUntil(t, "Consul goes on", func() bool { return consulWrites(t, other) })
		t.Logf("zone %s stopped: Consul writes after %s", stopped.Name, time.Since(began))
		waitUntil(t, "Nomad goes on and knows", func() bool { return nodeStatus(t, other, stopped) == nomad.NodeStatusDown })
		t.Logf("zone %s stopped: Nomad has its node down after %s", stopped.Name, time.Since(began))
		waitUntil(t, "Consul knows", func() bool { return !resolves(t, other, stopped) })
		t.Logf("zone %s stopped: out of Consul's DNS after %s", stopped.Name, time.Since(began))

		began = time.Now()
		require.NoError(t, stack.StartZone(t.Context(), stopped.Name))
		waitUntil(t, "Nomad has its node back", func() bool { return nodeStatus(t, other, stopped) == nomad.NodeStatusReady })
		waitUntil(t, "Consul has it back", func() bool { return resolves(t, other, stopped) })
		t.Logf("zone %s started: back after %s", stopped.Name, time.Since(began))
	}
}

// testPath is a PATH with the real programs, those of the repository's scripts
// where the machine has none.
func testPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PATH")
	for _, program := range []string{"consul", "nomad"} {
		found, err := exec.CommandContext(t.Context(), "../../scripts/real.sh", program).Output()
		require.NoError(t, err)
		dir := t.TempDir()
		require.NoError(t, os.Symlink(strings.TrimSpace(string(found)), filepath.Join(dir, program)))
		path = dir + ":" + path
	}
	return path
}

func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, failover, 100*time.Millisecond, what)
}

// client is one of the zone's Nomad.
func client(t *testing.T, z Zone) *nomad.Client {
	t.Helper()
	made, err := nomad.NewClient(&nomad.Config{Address: z.Nomad, HttpClient: impatient})
	require.NoError(t, err)
	return made
}

func register(t *testing.T, z Zone) {
	t.Helper()
	job, err := jobs.Read(fstest.MapFS{"sleeper.nomad.hcl": {Data: []byte(sleeper)}}, "sleeper", nil)
	require.NoError(t, err)
	_, _, err = client(t, z).Jobs().Register(job.Job, nil)
	require.NoError(t, err)
}

// running tells whether a task runs in a zone.
func running(t *testing.T, ask, in Zone) bool {
	t.Helper()
	allocations, _, err := client(t, ask).Allocations().List(nil)
	return err == nil && slices.ContainsFunc(allocations, func(a *nomad.AllocationListStub) bool {
		return a.NodeName == nodeName(in.Name) && a.ClientStatus == nomad.AllocClientStatusRunning
	})
}

func nodeStatus(t *testing.T, ask, of Zone) string {
	t.Helper()
	nodes, _, err := client(t, ask).Nodes().List(nil)
	if err != nil {
		return err.Error()
	}
	for _, node := range nodes {
		if node.Name == nodeName(of.Name) {
			return node.Status
		}
	}
	return "missing"
}

func consulWrites(t *testing.T, z Zone) bool {
	t.Helper()
	client, err := consul.NewClient(&consul.Config{Address: z.Consul, HttpClient: impatient})
	require.NoError(t, err)
	_, err = client.KV().Put(&consul.KVPair{Key: "test", Value: []byte("x")}, nil)
	return err == nil
}

// resolves tells whether a zone's address is one of those of all Consul servers.
func resolves(t *testing.T, ask, of Zone) bool {
	t.Helper()
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, ask.DNS)
	}}
	addresses, err := resolver.LookupHost(t.Context(), "consul.service.consul")
	return err == nil && slices.Contains(addresses, of.Address)
}

// assertResolver tests that the processes of a zone find names.
func assertResolver(t *testing.T, at site, z Zone) {
	t.Helper()
	found, err := output(t.Context(), "ip", "netns", "exec", at.namespace(z.Name), "getent", "ahostsv4", "consul.service.consul")
	require.NoError(t, err)
	assert.Contains(t, string(found), z.Address)
}

// assertNothingLeft looks for what a cluster may leave: namespaces, links,
// files, mounts and processes.
func assertNothingLeft(t *testing.T, at site) {
	t.Helper()
	left, err := at.leftovers(context.Background())
	require.NoError(t, err)
	assert.False(t, left)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	assert.NotContains(t, string(mounts), at.name+"-")
	assert.NotContains(t, string(mounts), at.dir)
	for _, zone := range zoneNames {
		pids, err := agents.Left(at.namespace(zone))
		require.NoError(t, err)
		assert.Empty(t, pids, "processes of zone %s", zone)
	}
}

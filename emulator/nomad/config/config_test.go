package config_test

import (
	"bytes"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/emulator/nomad/config"
)

// file writes a file of the test's own folder, and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// loaded is what an agent with one region is told.
func loaded(t *testing.T, args ...string) (*config.Config, nomad.Region) {
	t.Helper()
	c, err := config.Load(args)
	require.NoError(t, err)
	require.Len(t, c.Options.Regions, 1)
	return c, c.Options.Regions[0]
}

func TestDevelopmentMode(t *testing.T) {
	t.Parallel()
	c, region := loaded(t, "-dev", "-node", "here", "-data-dir=/nowhere", "-log-level", "warn", "-acl-enabled")
	assert.Equal(t, slog.LevelWarn, c.LogLevel)
	assert.Empty(t, c.Options.Dir, "it keeps nothing")
	assert.True(t, c.Options.Debug)
	assert.True(t, c.Options.ACL)
	assert.Empty(t, c.Unused)
	assert.Equal(t, "global", region.Name)
	assert.Equal(t, "dc1", region.Datacenter)
	assert.Equal(t, "here", region.Server)
	assert.Equal(t, "127.0.0.1:4646", region.HTTP)
	assert.Equal(t, 4647, region.RPCPort)
	assert.Equal(t, "127.0.0.1:4648", region.Serf)
	assert.True(t, region.Prometheus)
	require.Len(t, region.Nodes, 1)
	assert.Equal(t, "here", region.Nodes[0].Name)
	c, _ = loaded(t, "-dev")
	assert.Equal(t, slog.LevelDebug, c.LogLevel)
}

// What the official client's own tests write.
const sdk = `{"name":"node-4646","data_dir":"/nowhere","disable_update_check":true,"log_level":"ERROR",
	"ports":{"http":1,"rpc":2,"serf":3},"server":{"enabled":true,"bootstrap_expect":1},"client":{"enabled":false,
	"options":{"test.tighten_network_timeouts":"true"}},"vault":{"enabled":false},"acl":{"enabled":false},
	"telemetry":{"prometheus_metrics":true}}`

func TestConfigurationOfTheSDK(t *testing.T) {
	t.Parallel()
	path := file(t, "config.json", sdk)
	c, region := loaded(t, "-config", path)
	assert.Equal(t, "/nowhere", c.Options.Dir)
	assert.Equal(t, slog.LevelError, c.LogLevel)
	assert.Equal(t, "node-4646", region.Server)
	assert.Equal(t, "0.0.0.0:1", region.HTTP)
	assert.Equal(t, 2, region.RPCPort)
	assert.Equal(t, "127.0.0.1:3", region.Serf)
	assert.True(t, region.Prometheus)
	assert.Empty(t, region.Nodes)
	assert.Contains(t, c.Unused, "disable_update_check")
	assert.NotContains(t, c.Unused, "ports.http")
	_, region = loaded(t, "-config", path, "-dev")
	assert.Len(t, region.Nodes, 1, "development mode has a node, whatever the file says")
}

const hcl = `
region     = "eu"
datacenter = "east"
bind_addr  = "10.0.0.1"
addresses { http = "127.0.0.1" }
server {
  enabled    = true
  retry_join = ["a:4648"]
  server_join { start_join = ["b:4648"] }
}
client {
  enabled           = true
  node_class        = "large"
  node_pool         = "gpu"
  cpu_total_compute = 4000
  memory_total_mb   = 8192
  meta { rack = "r1" }
  options = { "fingerprint.denylist" = "env_aws" }
  reserved {
    cpu            = 100
    memory         = 200
    disk           = 300
    reserved_ports = "22,80"
  }
  host_volume "certs" {
    path      = "/etc/ssl"
    read_only = true
  }
  host_volume "data" { path = "/srv" }
  host_network "public" {
    cidr           = "10.0.0.0/8"
    reserved_ports = "443"
  }
}
consul { address = "127.0.0.1:8500" }
`

func TestConfigurationInHCL(t *testing.T) {
	t.Parallel()
	c, region := loaded(t, "-config", file(t, "agent.hcl", hcl), "-data-dir", "/data", "-meta", "zone=a", "-node", "n")
	assert.Equal(t, "http://127.0.0.1:8500", c.Options.Consul)
	assert.Equal(t, "eu", region.Name)
	assert.Equal(t, "127.0.0.1:4646", region.HTTP)
	assert.Equal(t, "10.0.0.1:4648", region.Serf)
	assert.Equal(t, []string{"a:4648", "b:4648"}, region.RetryJoin)
	assert.Equal(t, []nomad.Node{{
		Name: "n", Datacenter: "east", Pool: "gpu", Class: "large", Meta: map[string]string{"rack": "r1", "zone": "a"},
		Address: "10.0.0.1", CPU: 4000, Memory: 8192, Options: map[string]string{"fingerprint.denylist": "env_aws"},
		HostVolumes:  map[string]*api.HostVolumeInfo{"certs": {Path: "/etc/ssl", ReadOnly: true}, "data": {Path: "/srv"}},
		HostNetworks: map[string]*api.HostNetworkInfo{"public": {Name: "public", CIDR: "10.0.0.0/8", ReservedPorts: "443"}},
		Reserved: &api.NodeReservedResources{
			Cpu: api.NodeReservedCpuResources{CpuShares: 100}, Memory: api.NodeReservedMemoryResources{MemoryMB: 200},
			Disk: api.NodeReservedDiskResources{DiskMB: 300}, Networks: api.NodeReservedNetworkResources{ReservedHostPorts: "22,80"},
		},
	}}, region.Nodes)
}

func TestLaterSourcesComeFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.hcl":    "datacenter = \"one\"\nregion = \"r\"\nports { http = 1000 }\nserver {\n  enabled = true\n  retry_join = [\"a\"]\n}",
		"b.json":   `{"datacenter": "two", "ports": {"rpc": 1001}, "server": {"retry_join": ["b"]}}`,
		"notes.md": "not a configuration",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	more := file(t, "more.hcl", "data_dir = \"/data\"\ndatacenter = \"three\"")
	_, region := loaded(t, "-config", dir, "-config", more, "-region", "flagged", "-retry-join", "c")
	assert.Equal(t, "flagged", region.Name)
	assert.Equal(t, "three", region.Datacenter)
	assert.Equal(t, "0.0.0.0:1000", region.HTTP)
	assert.Equal(t, 1001, region.RPCPort)
	assert.Equal(t, []string{"a", "b", "c"}, region.RetryJoin)
}

func TestTheTopologyReplacesTheNode(t *testing.T) {
	t.Parallel()
	path := file(t, "zones.hcl", `
		region "global" {
			node "a" { count = 2 }
		}
		region "other" {}`)
	c, err := config.Load([]string{"-dev", "-node", "server", "-topology", path})
	require.NoError(t, err)
	require.Len(t, c.Options.Regions, 2)
	assert.Equal(t, "server", c.Options.Regions[0].Server)
	assert.Equal(t, "127.0.0.1:4646", c.Options.Regions[0].HTTP)
	assert.Len(t, c.Options.Regions[0].Nodes, 2)
	assert.Equal(t, "other", c.Options.Regions[1].Name)
	_, err = config.Load([]string{"-dev", "-topology", path + "-none"})
	assert.ErrorContains(t, err, "read the topology")
}

func TestWhatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		err  string
	}{
		"nothing":    {nil, "Must specify either server, client or dev mode for the agent."},
		"no folder":  {[]string{"-server"}, `Must specify "data_dir" config option or "data-dir" CLI flag`},
		"wildcard":   {[]string{"-dev", "-dc", "a*"}, "no wildcard"},
		"arguments":  {[]string{"-dev", "extra"}, "Unexpected extra arguments: [extra]"},
		"a flag":     {[]string{"-none"}, "error parsing command-line flags"},
		"metadata":   {[]string{"-dev", "-meta", "x"}, `"x" is not key=value`},
		"no file":    {[]string{"-config", "/no/such/file"}, "Error loading configuration from /no/such/file"},
		"no HCL":     {[]string{"-config", file(t, "a.hcl", "a {")}, "a.hcl: "},
		"no JSON":    {[]string{"-config", file(t, "a.json", "{")}, "a.json: unexpected end of JSON input"},
		"a number":   {[]string{"-dev", "-config", file(t, "b.hcl", `ports { http = "x" }`)}, "Error loading configuration from the settings"},
		"a level":    {[]string{"-dev", "-log-level", "loud"}, "loud"},
		"no TLS":     {[]string{"-dev", "-config", file(t, "tls.hcl", "tls {\n http = true\n cert_file = \"/none\"\n}")}, "configure TLS: load the certificate and its key"},
		"no numbers": {[]string{"-bootstrap-expect", "x"}, "error parsing command-line flags"},
	} {
		_, err := config.Load(test.args)
		assert.ErrorContains(t, err, test.err, name)
	}
	_, err := config.Load([]string{"-config", "/no/such/file"})
	var invalid *config.InvalidError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, "/no/such/file", invalid.Source)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	_, err := config.Load([]string{"-help"})
	assert.True(t, errors.Is(err, flag.ErrHelp))
	var text bytes.Buffer
	config.Usage(&text)
	for _, flag := range []string{"-dev ", "-topology ", "-config ", "-data-dir ", "data_dir"} {
		assert.Contains(t, text.String(), flag)
	}
}

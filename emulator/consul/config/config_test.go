package config_test

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul"
	"github.com/drydock/drydock/emulator/consul/config"
	"github.com/drydock/drydock/emulator/consul/state"
)

// file writes a file of the test's own folder, and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestDevelopmentMode(t *testing.T) {
	t.Parallel()
	c, err := config.Load([]string{"-dev", "-node", "here", "-http-port=0", "-dns-port", "-1", "-log-level", "warn"})
	require.NoError(t, err)
	assert.True(t, c.Dev)
	assert.Equal(t, slog.LevelWarn, c.LogLevel)
	assert.Empty(t, c.Options.Dir)
	a := c.Options.Datacenters[0].Agents[0]
	assert.Equal(t, "here", a.Node)
	assert.Equal(t, "127.0.0.1:0", a.HTTP)
	assert.Empty(t, a.DNS)
	assert.True(t, a.Debug)
	assert.False(t, a.Client)
}

// What the SDK's test servers write.
const sdk = `{"node_name":"node-1","node_id":"11111111-2222-3333-4444-555555555555","node_meta":{"a":"b"},
	"locality":{"region":"us-west-1","zone":"us-west-1a"},"performance":{"raft_multiplier":1},"bootstrap":true,"server":true,
	"data_dir":"/nowhere","segments":null,"disable_update_check":true,"log_level":"debug","bind_addr":"127.0.0.1","addresses":{},
	"ports":{"dns":1,"http":2,"https":3,"serf_lan":4,"serf_wan":5,"server":6,"grpc":7,"grpc_tls":8},"primary_datacenter":"dc1",
	"acl":{"enabled":true,"default_policy":"deny","tokens":{"master":"root","agent":"root"}},"encrypt":"k",
	"connect":{"enabled":true,"ca_config":{"cluster_id":"11111111-2222-3333-4444-555555555555"}},"enable_debug":true,
	"enable_script_checks":true,"skip_leave_on_interrupt":true,"peering":{"enabled":true},"autopilot":{"server_stabilization_time":"1s"},
	"version":"1.22.3"}`

func TestConfigurationOfTheSDK(t *testing.T) {
	t.Parallel()
	c, err := config.Load([]string{"-config-file", file(t, "config.json", sdk), "-config-file", file(t, "empty.json", "")})
	require.NoError(t, err)
	o := c.Options
	assert.Equal(t, "/nowhere", o.Dir)
	assert.Equal(t, consul.ACL{Enabled: true, InitialManagement: "root", Agent: "root"}, o.ACL)
	assert.Equal(t, map[string]any{"cluster_id": "11111111-2222-3333-4444-555555555555"}, o.CA)
	a := o.Datacenters[0].Agents[0]
	assert.Equal(t, "127.0.0.1:2", a.HTTP)
	assert.Equal(t, "127.0.0.1:3", a.HTTPS)
	assert.Equal(t, "127.0.0.1:1", a.DNS)
	assert.Equal(t, 6, a.ServerPort)
	assert.Equal(t, "us-west-1a", a.Locality.Zone)
	assert.True(t, a.ScriptChecks)
	assert.Contains(t, c.Unused, "performance")
	assert.NotContains(t, c.Unused, "ports.http")
}

func TestSeveralSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.hcl"), []byte(`
		datacenter = "east"
		node_meta { rack = "1" }
		ports { http = 1000, dns = 1001 }
		service {
			name = "web"
			port = 80
			enable_tag_override = true
			meta { some_key = "v" }
			check { args = ["true"], interval = "5s" }
		}
		service { name = "db" }
		addresses { http = "unix:///tmp/x.sock 127.0.0.1" }`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.json"), []byte(`{
		"ports": {"http": 2000}, "node_meta": {"zone": "a"},
		"services": [{"Name": "mail", "Checks": [{"TTL": "10s"}], "connect": {"sidecar_service": {"port": 1}}}],
		"check": {"id": "disk", "name": "Disk", "ttl": "1m"}}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("not read"), 0o600))
	c, err := config.Load([]string{"-config-dir", dir, "-data-dir", t.TempDir(), "-hcl", "log_level = \"error\"", "-node-meta", "zone:b", "-http-port", "3000"})
	require.NoError(t, err)
	assert.Equal(t, "east", c.Options.Datacenters[0].Name)
	a := c.Options.Datacenters[0].Agents[0]
	assert.Equal(t, "unix:///tmp/x.sock 127.0.0.1:3000", a.HTTP)
	assert.Equal(t, "127.0.0.1:1001", a.DNS)
	assert.Equal(t, map[string]string{"rack": "1", "zone": "b"}, a.Meta)
	assert.Equal(t, slog.LevelError, c.LogLevel)
	assert.NotEmpty(t, a.ID)
	defined, err := a.Definitions()
	require.NoError(t, err)
	require.Len(t, defined.Services, 3)
	web := defined.Services[0]
	assert.True(t, web.EnableTagOverride)
	assert.Equal(t, map[string]string{"some_key": "v"}, web.Meta)
	assert.Equal(t, []string{"true"}, web.Check.Args)
	assert.Equal(t, state.Duration(10*time.Second), defined.Services[2].Checks[0].TTL)
	assert.Equal(t, 1, defined.Services[2].Connect.SidecarService.Port)
	assert.Equal(t, []consul.CheckDefinition{{ID: "disk", Name: "Disk", TTL: state.Duration(time.Minute)}}, defined.Checks)
}

func TestDefinitionsAreReadAgain(t *testing.T) {
	t.Parallel()
	path := file(t, "reload.json", "")
	c, err := config.Load([]string{"-dev", "-config-file", path})
	require.NoError(t, err)
	read := c.Options.Datacenters[0].Agents[0].Definitions
	defined, err := read()
	require.NoError(t, err)
	assert.Empty(t, defined.Services)
	require.NoError(t, os.WriteFile(path, []byte(`{"service":{"name":"redis","ports":[{"name":"http","port":8080,"default":true}]}}`), 0o600))
	defined, err = read()
	require.NoError(t, err)
	require.Len(t, defined.Services, 1)
	assert.Equal(t, api.ServicePorts{{Name: "http", Port: 8080, Default: true}}, defined.Services[0].Ports)
}

func TestTheNodesIDIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := config.Load([]string{"-data-dir", dir})
	require.NoError(t, err)
	second, err := config.Load([]string{"-data-dir", dir})
	require.NoError(t, err)
	assert.Equal(t, first.Options.Datacenters[0].Agents[0].ID, second.Options.Datacenters[0].Agents[0].ID)
}

func TestSeveralDatacenters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := []string{
		"-data-dir", dir, "-node", "here", "-client", "127.0.0.2", "-http-port=1000", "-dns-port=1001", "-https-port=-1",
		"-hcl", `datacenter = "south" services { name = "web" }`,
		"-datacenter", "East", "-datacenter", "West", "-datacenter", "north",
	}
	c, err := config.Load(args)
	require.NoError(t, err)
	var names []string
	for _, d := range c.Options.Datacenters {
		names = append(names, d.Name)
	}
	assert.Equal(t, []string{"east", "west", "north"}, names)
	east, west := c.Options.Datacenters[0].Agents[0], c.Options.Datacenters[1].Agents[0]
	assert.Equal(t, "here", east.Node)
	assert.Equal(t, "127.0.0.2:1000", east.HTTP)
	assert.NotNil(t, east.Definitions)
	assert.Equal(t, "west-here", west.Node)
	assert.Equal(t, "127.0.0.2:0", west.HTTP)
	assert.Equal(t, "127.0.0.2:0", west.DNS)
	assert.Nil(t, west.Definitions)
	assert.NotEqual(t, east.ID, west.ID)
	again, err := config.Load(args)
	require.NoError(t, err)
	assert.Equal(t, west.ID, again.Options.Datacenters[1].Agents[0].ID)
}

// The words are those of the real program.
func TestRefusals(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, file string // the file's name and text
		args       []string
		want       string
	}{
		{name: "unknown setting", file: `{"foo":1,"ports":{"bar":1},"services":[{"name":"a","bad":1}]}`, want: "failed to parse FILE: 3 errors occurred:\n\t* invalid config key foo\n\t* invalid config key ports.bar\n\t* invalid config key services[0].bad\n\n"},
		{name: "wrong type", file: `{"server":"x"}`, want: "failed to parse FILE: decoding failed due to the following error(s):\n\n'server' expected type 'bool', got unconvertible type 'string'"},
		{name: "no JSON", file: `{"server":`, want: "failed to parse FILE: unexpected end of JSON input"},
		{name: "no data folder", want: "data_dir cannot be empty"},
		{name: "level", args: []string{"-dev", "-log-level", "xx"}, want: "Invalid log level: xx. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]"},
		{name: "flag", args: []string{"-nope"}, want: "error parsing flags: flag provided but not defined: -nope"},
		{name: "number", args: []string{"-http-port=abc"}, want: `error parsing flags: invalid value "abc" for flag -http-port: strconv.Atoi: parsing "abc": invalid syntax`},
		{name: "argument", args: []string{"-dev", "extra"}, want: "Unexpected extra arguments: [extra]"},
		{name: "no file", args: []string{"-config-file", "missing.json"}, want: "config: Open failed on missing.json. open missing.json: no such file or directory"},
		{name: "metadata", args: []string{"-dev", "-node-meta", "a b:1"}, want: "node_meta invalid: Couldn't load metadata pair ('a b', '1'): Key contains invalid characters"},
		{
			name: "other datacenter", args: []string{"-data-dir", "/nowhere", "-datacenter", "dc1", "-datacenter", "../x"},
			want: "datacenter can only contain lowercase alphanumeric, - or _ characters.",
		},
		{name: "datacenter", args: []string{"-dev", "-datacenter", "dc 1"}, want: "datacenter can only contain lowercase alphanumeric, - or _ characters."},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.file != "" {
				path := file(t, "config.json", test.file)
				test.args = append(test.args, "-config-file", path)
				test.want = string(bytes.ReplaceAll([]byte(test.want), []byte("FILE"), []byte(path)))
			}
			_, err := config.Load(test.args)
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	_, err := config.Load([]string{"-help"})
	require.ErrorIs(t, err, flag.ErrHelp)
	var out bytes.Buffer
	config.Usage(&out)
	assert.Contains(t, out.String(), "-http-port")
	assert.NotContains(t, out.String(), "-raft-protocol")
}

func FuzzFiles(f *testing.F) {
	f.Add(sdk, "json")
	f.Add("ports { http = 1 }\nservice { name = \"a\" }\nservice { name = \"b\" }", "hcl")
	f.Add(`{"services":{"check":[[]]}}`, "json")
	f.Fuzz(func(t *testing.T, text, format string) {
		_, _ = config.Load([]string{"-dev", "-hcl", text})
		if format == "json" {
			_, _ = config.Load([]string{"-dev", "-config-file", file(t, "config.json", text)})
		}
	})
}

package docker

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hcldec"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// decode reads a config block as a node does.
func decode(t *testing.T, text string) config {
	t.Helper()
	file, diagnostics := hcljson.Parse([]byte(text), "config")
	require.False(t, diagnostics.HasErrors(), diagnostics)
	value, diagnostics := hcldec.Decode(file.Body, new(Driver).Schema(), nil)
	require.False(t, diagnostics.HasErrors(), diagnostics)
	decoded, err := ctyjson.Marshal(value, value.Type())
	require.NoError(t, err)
	var c config
	require.NoError(t, json.Unmarshal(decoded, &c))
	return c
}

// TestRequest compares with the container that a real Nomad makes of the same task.
func TestRequest(t *testing.T) {
	t.Parallel()
	c := decode(t, `{"image": "base:local", "command": "sh", "args": ["-c", "sleep 1000"], "ports": ["http"], "labels": [{"a": "b"}],
		"volumes": ["/tmp:/mnt/tmp:ro", "rel:/mnt/rel"], "hostname": "hh", "mount": [
		{"type": "bind", "source": "local", "target": "/mnt/l", "readonly": true},
		{"type": "tmpfs", "target": "/mnt/t", "tmpfs_options": [{"size": 100000}]}]}`)
	task := newTask(t, "")
	task.Ports = []api.PortMapping{{Label: "http", Value: 23786, To: 8080, HostIP: "127.0.0.1"}}
	task.Mounts = []driver.Mount{{Source: "/data", Destination: "/mnt/data", ReadOnly: true}}
	r, err := newRequest(task.Task, &c)
	require.NoError(t, err)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	want := strings.NewReplacer("ROOT", task.Dir.Root, "SHARED", task.Dir.Shared, "ALLOC", task.Allocation.ID, "PID", strconv.Itoa(os.Getpid())).Replace(`{
		"Image": "base:local", "Env": ["FOO=bar"], "Cmd": ["sh", "-c", "sleep 1000"], "Hostname": "hh", "Tty": false, "OpenStdin": false,
		"Labels": {"a": "b", "com.hashicorp.nomad.alloc_id": "ALLOC", "com.github.drydock.owner": "PID"},
		"ExposedPorts": {"8080/tcp": {}, "8080/udp": {}},
		"HostConfig": {
			"Binds": ["SHARED:/alloc", "ROOT/local:/local", "ROOT/secrets:/secrets", "/data:/mnt/data:ro", "/tmp:/mnt/tmp:ro", "ROOT/rel:/mnt/rel"],
			"Mounts": [{"Type": "bind", "Source": "ROOT/local", "Target": "/mnt/l", "ReadOnly": true},
				{"Type": "tmpfs", "Source": "", "Target": "/mnt/t", "ReadOnly": false, "TmpfsOptions": {"SizeBytes": 100000, "Mode": 0}}],
			"PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "23786"}], "8080/udp": [{"HostIp": "127.0.0.1", "HostPort": "23786"}]},
			"NetworkMode": "default", "Memory": 33554432, "MemorySwap": 33554432, "CpuShares": 50, "CapAdd": null, "CapDrop": ["CAP_NET_RAW"],
			"Sysctls": {}, "ReadonlyRootfs": false, "Init": false, "LogConfig": {"Type": "json-file", "Config": {"max-file": "2", "max-size": "2m"}}
		}}`)
	assert.JSONEq(t, want, string(text))
}

func TestRequestRefusals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"image": "i", "ports": ["nope"]}`:                                           `Port "nope" not found, check network block`,
		`{"image": "i", "volumes": ["/tmp"]}`:                                         `invalid docker volume: "/tmp"`,
		`{"image": "i", "volumes": ["../x:/y"]}`:                                      `volumes are not enabled; cannot mount host paths outside of the task directory: use an absolute path`,
		`{"image": "i", "mount": [{"type": "bind", "source": "..", "target": "/y"}]}`: `volumes are not enabled; cannot mount host paths outside of the task directory: use an absolute path`,
		`{"image": "i", "mount": [{"type": "odd", "target": "/y"}]}`:                  `invalid mount type: "odd"`,
	} {
		c := decode(t, text)
		_, err := newRequest(newTask(t, "").Task, &c)
		require.EqualError(t, err, want)
	}
}

// TestCapabilities has what a real Nomad tells the engine.
func TestCapabilities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ config, add, drop string }{
		{`{"image": "i"}`, `null`, `["CAP_NET_RAW"]`},
		{`{"image": "i", "cap_drop": ["all"]}`, `null`, `["ALL"]`},
		{`{"image": "i", "cap_drop": ["ALL"], "cap_add": ["chown"]}`, `["CAP_CHOWN"]`, `["ALL"]`},
		{`{"image": "i", "cap_drop": ["cap_setuid", "CHOWN"]}`, `null`, `["CAP_CHOWN", "CAP_NET_RAW", "CAP_SETUID"]`},
	} {
		read := decode(t, c.config)
		r, err := newRequest(newTask(t, "").Task, &read)
		require.NoError(t, err)
		add, err := json.Marshal(r.HostConfig.CapAdd)
		require.NoError(t, err)
		drop, err := json.Marshal(r.HostConfig.CapDrop)
		require.NoError(t, err)
		assert.JSONEq(t, c.add, string(add), c.config)
		assert.JSONEq(t, c.drop, string(drop), c.config)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ most, hard, limit, reservation int64 }{
		{0, 0, 32, 0}, {64, 0, 64, 32}, {0, 128, 128, 32}, {64, 128, 128, 32}, {16, 0, 32, 0},
	} {
		task := newTask(t, "")
		task.Resources.Memory.MemoryMaxMB = c.most
		var r createRequest
		r.limit(task.Task, &config{MemoryHardLimit: c.hard})
		assert.Equal(t, c.limit<<20, r.HostConfig.Memory)
		assert.Equal(t, c.limit<<20, r.HostConfig.MemorySwap)
		assert.Equal(t, c.reservation<<20, r.HostConfig.MemoryReservation)
	}
}

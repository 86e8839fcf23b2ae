package main

import (
	"bytes"
	"encoding/json"
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
	"github.com/drydock/drydock/emulator/consul"
)

// node is what both call themselves.
const node = "n1"

// realConsul is the path of the real program.
func realConsul(t *testing.T) string {
	return parity.RealProgram(t, "../../../scripts/real.sh", "consul")
}

// startEmulated starts the emulator and returns its URL.
func startEmulated(t *testing.T, acl consul.ACL) string {
	t.Helper()
	c, err := consul.Start(t.Context(), consul.Options{
		Datacenters: []consul.Datacenter{{Agents: []consul.Agent{{Node: node}}}},
		ACL:         acl,
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c.URL("dc1")
}

// startReal starts the real program with these settings, waits until it knows
// itself, and returns its URL.
func startReal(t *testing.T, program string, settings ...string) string {
	t.Helper()
	settings = append(settings, `performance { leave_drain_time = "100ms" }`)
	file := filepath.Join(t.TempDir(), "settings.hcl")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(settings, "\n")), 0o644))
	ports := parity.FreePorts(t, 4)
	var output bytes.Buffer
	agent := exec.Command(program, "agent", "-dev", "-node="+node, "-log-level=warn", "-config-file="+file,
		"-dns-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", fmt.Sprint("-http-port=", ports[0]),
		fmt.Sprint("-server-port=", ports[1]), fmt.Sprint("-serf-lan-port=", ports[2]), fmt.Sprint("-serf-wan-port=", ports[3]))
	agent.Stdout, agent.Stderr = &output, &output
	require.NoError(t, agent.Start())
	t.Cleanup(func() {
		assert.NoError(t, agent.Process.Kill())
		agent.Wait() // reports the kill
	})
	url := fmt.Sprint("http://127.0.0.1:", ports[0])
	if !assert.Eventually(t, func() bool { return knowsItself(url) }, time.Minute, 50*time.Millisecond) {
		t.Fatalf("the real Consul did not start:\n%s", &output)
	}
	return url
}

// knowsItself reports whether a Consul that has just started has a leader and a
// certificate authority; both come some time after its first answer.
func knowsItself(url string) bool {
	return strings.Contains(answer(url+"/v1/status/leader"), ":") && json.Valid([]byte(answer(url+"/v1/connect/ca/roots")))
}

// answer is the body of a good answer, else empty.
func answer(url string) string {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runConsul runs the command as the program does, until it ends by itself.
func runConsul(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errors bytes.Buffer
	err = run(t.Context(), append([]string{"consul"}, args...), noEnvironment, &out, &errors)
	return out.String(), errors.String(), err
}

func noEnvironment(string) string { return "" }

// What the SDK's tests look for.
func TestConsulVersion(t *testing.T) {
	t.Parallel()
	out, _, err := runConsul(t, "version")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(out, "Consul v1.22.3\n"), out)
	out, _, err = runConsul(t, "version", "-format=json")
	require.NoError(t, err)
	assert.Contains(t, out, `"Version": "1.22.3"`)
}

func TestConsulUnderItsOwnName(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"consul", "agent", "-dev"}, programArgs([]string{"/usr/bin/consul", "agent", "-dev"}))
	assert.Equal(t, []string{"up"}, programArgs([]string{"/usr/bin/drydock", "up"}))
}

func TestConsulAgentSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":   {[]string{"-nope"}, "==> error parsing flags: flag provided but not defined: -nope\n"},
		"no data folder": {nil, "==> data_dir cannot be empty\n"},
		"port taken":     {[]string{"-dev", "-dns-port=-1", "-http-port", strconv.Itoa(port)}, "bind: address already in use\n"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, err := runConsul(t, append([]string{"agent"}, test.args...)...)
			require.ErrorIs(t, err, errSaid)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
			assert.True(t, strings.HasSuffix(stderr, test.want), stderr)
		})
	}
}

func TestConsulAgentHelp(t *testing.T) {
	t.Parallel()
	out, _, err := runConsul(t, "agent", "-help")
	require.NoError(t, err)
	assert.Contains(t, out, "-config-file")
}

// startConsulAgent starts an agent that is stopped with the test, and returns
// what it prints at first.
func startConsulAgent(t *testing.T, args ...string) (banner string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"consul", "agent", "-dev"}, args...), noEnvironment, in, io.Discard)
		in.Close()
	}()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			assert.NoError(t, err)
		case <-time.After(awaitAtMost):
			assert.Fail(t, "the agent does not stop")
		}
	})
	var printed strings.Builder
	buffer := make([]byte, 1<<10)
	for !strings.Contains(printed.String(), "Log data will now stream in") {
		n, err := out.Read(buffer)
		printed.Write(buffer[:n])
		require.NoError(t, err, printed.String())
	}
	go io.Copy(io.Discard, out)
	return printed.String()
}

var consulAddress = regexp.MustCompile(`HTTP API: '(http://[^']+)'`)

func getText(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s: %s", url, text)
	return strings.TrimSpace(string(text))
}

func TestConsulAgentRunsUntilItIsStopped(t *testing.T) {
	t.Parallel()
	banner := startConsulAgent(t, "-http-port=0", "-dns-port=-1", "-node=here")
	addresses := consulAddress.FindAllStringSubmatch(banner, -1)
	require.Len(t, addresses, 1, banner)
	assert.Equal(t, `"127.0.0.1:8300"`, getText(t, addresses[0][1]+"/v1/status/leader"))
	assert.NotContains(t, banner, "DNS")
}

func TestConsulAgentOfSeveralDatacenters(t *testing.T) {
	t.Parallel()
	banner := startConsulAgent(t, "-http-port=0", "-dns-port=0", "-datacenter=east", "-datacenter=west")
	addresses := consulAddress.FindAllStringSubmatch(banner, -1)
	require.Len(t, addresses, 2, banner)
	assert.Equal(t, 2, strings.Count(banner, "DNS: '127.0.0.1:"), banner)
	assert.JSONEq(t, `["east","west"]`, getText(t, addresses[0][1]+"/v1/catalog/datacenters"))
	assert.JSONEq(t, `["west","east"]`, getText(t, addresses[1][1]+"/v1/catalog/datacenters"))
}

// What was acknowledged is there again after the program was killed.
func TestConsulAgentKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	port := strconv.Itoa(freePort(t))
	args := []string{"consul", "agent", "-server", "-data-dir", data, "-http-port", port, "-dns-port=-1", "-node=here"}
	client, err := api.NewClient(&api.Config{Address: "127.0.0.1:" + port, Transport: &http.Transport{DisableKeepAlives: true}})
	require.NoError(t, err)
	launch := func() *exec.Cmd {
		t.Helper()
		agent := exec.Command(filepath.Join(programs(t), "drydock"), args...)
		require.NoError(t, agent.Start())
		t.Cleanup(func() { agent.Process.Kill() })
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			_, err := client.Agent().Self()
			assert.NoError(t, err)
		}, 20*time.Second, 5*time.Millisecond)
		return agent
	}
	killed := launch()
	require.NoError(t, client.Agent().ServiceRegister(&api.AgentServiceRegistration{
		Name: "web", Port: 80, Check: &api.AgentServiceCheck{TTL: "1h", Status: api.HealthPassing},
	}))
	_, err = client.KV().Put(&api.KVPair{Key: "key", Value: []byte("value")}, nil)
	require.NoError(t, err)
	require.NoError(t, killed.Process.Kill())
	require.Error(t, killed.Wait())

	again := launch()
	services, err := client.Agent().Services()
	require.NoError(t, err)
	assert.Equal(t, 80, services["web"].Port)
	entries, _, err := client.Health().Service("web", "", true, nil)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	pair, _, err := client.KV().Get("key", nil)
	require.NoError(t, err)
	require.NotNil(t, pair)
	assert.Equal(t, "value", string(pair.Value))
	require.NoError(t, again.Process.Signal(os.Interrupt))
	require.NoError(t, again.Wait(), "it stops cleanly")
}

func freePort(t *testing.T) int {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, socket.Close())
	return socket.Addr().(*net.TCPAddr).Port
}

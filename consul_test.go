package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

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

func TestConsulAgentRunsUntilItIsStopped(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"consul", "agent", "-dev", "-http-port=0", "-dns-port=-1", "-node=here"}, noEnvironment, in, io.Discard)
		in.Close()
	}()
	var banner strings.Builder
	address := regexp.MustCompile(`HTTP API: '(http://[^']+)'`)
	buffer := make([]byte, 1<<10)
	for address.FindString(banner.String()) == "" {
		n, err := out.Read(buffer)
		require.NoError(t, err, banner.String())
		banner.Write(buffer[:n])
	}
	go io.Copy(io.Discard, out)
	answer, err := http.Get(address.FindStringSubmatch(banner.String())[1] + "/v1/status/leader")
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	stop()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		require.Fail(t, "the agent does not stop")
	}
}

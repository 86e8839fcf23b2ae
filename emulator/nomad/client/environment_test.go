package client

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInterpolate(t *testing.T) {
	t.Parallel()
	e := environment{
		vars: map[string]string{"NOMAD_PORT_http": "80", "NOMAD_PORT_my-port": "81", "HOME": "/root"},
		node: map[string]string{"node.unique.name": "n1", "meta.rack": "r1"},
	}
	for _, c := range []struct{ text, want, err string }{
		{text: "", want: ""},
		{text: "no reference", want: "no reference"},
		{text: ":${NOMAD_PORT_http}/${NOMAD_PORT_my-port}", want: ":80/81"},
		{text: "${node.unique.name} ${meta.rack} ${HOME}", want: "n1 r1 /root"},
		{text: "${SHELL_VARIABLE} $HOME ${", want: "${SHELL_VARIABLE} $HOME ${"},
		{text: "a ${unclosed", want: "a ${unclosed"},
		{text: "${NOMAD_PORT_htp}", err: "${NOMAD_PORT_htp} stands for nothing"},
		{text: "${attr.consul.version}", err: "attr.consul.version"},
		{text: "${meta.none}", err: "meta.none"},
		{text: "${node.none}", err: "node.none"},
	} {
		got, err := e.interpolate(c.text)
		if c.err != "" {
			require.ErrorContains(t, err, c.err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}

func TestTaskEnvironment(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Path: []string{"/first", "/second"}, Meta: map[string]string{"rack": "r1"}})
	require.NoError(t, n.Register(within(t), parse(t, "environment")))
	eventually(t, "the task ends", dead(n, t, "environment"))
	a := last(t, n, "environment")
	require.Equal(t, "complete", a.Status)
	require.True(t, a.Healthy, "a batch allocation that is complete")

	var got struct{ Env, Args []string }
	require.NoError(t, json.Unmarshal([]byte(stdout(t, a, "env")), &got))
	env := map[string]string{}
	for _, line := range got.Env {
		key, value, _ := strings.Cut(line, "=")
		env[key] = value
	}
	taskDir := filepath.Join(a.Dir, "env")
	http, mine := a.Ports["http"], a.Ports["my-port"]
	host, err := os.Hostname()
	require.NoError(t, err)
	for key, want := range map[string]string{
		"NOMAD_ALLOC_DIR": filepath.Join(a.Dir, "alloc"), "NOMAD_TASK_DIR": filepath.Join(taskDir, "local"),
		"NOMAD_SECRETS_DIR": filepath.Join(taskDir, "secrets"), "NOMAD_ALLOC_ID": a.ID, "NOMAD_SHORT_ALLOC_ID": a.ID[:8],
		"NOMAD_ALLOC_NAME": "environment.print[0]", "NOMAD_ALLOC_INDEX": "0", "NOMAD_JOB_NAME": "environment",
		"NOMAD_JOB_ID": "environment", "NOMAD_GROUP_NAME": "print", "NOMAD_TASK_NAME": "env", "NOMAD_REGION": "global",
		"NOMAD_DC": "eu-1", "NOMAD_NAMESPACE": "default", "NOMAD_CPU_LIMIT": "250", "NOMAD_MEMORY_LIMIT": "64",
		"NOMAD_MEMORY_MAX_LIMIT": "128", "NOMAD_META_owner": "team", "NOMAD_META_OWNER": "team", "NOMAD_META_SHADE": "blue-0",
		"NOMAD_ADDR_http": http, "NOMAD_IP_http": "127.0.0.1", "NOMAD_PORT_http": strings.TrimPrefix(http, "127.0.0.1:"),
		"NOMAD_HOST_PORT_http": strings.TrimPrefix(http, "127.0.0.1:"), "NOMAD_ADDR_my_port": mine,
		"LISTEN": http, "HOST": host + "/" + runtime.GOOS + "/" + runtime.GOARCH + "/r1", "PLAIN": "$HOME",
		"PATH": "/first:/second:/job/bin", "HOME": os.Getenv("HOME"),
	} {
		require.Equal(t, want, env[key], key)
	}
	require.NotContains(t, env, "AWS_SECRET_ACCESS_KEY")
	require.NotContains(t, env, "GOPATH")
	require.Equal(t, []string{filepath.Join(taskDir, "local"), "blue-0", "${NOT_OURS}", "8080"}, got.Args)
}

func TestUnknownReferenceFailsRegister(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	err := n.Register(within(t), parse(t, "environment"))
	require.ErrorContains(t, err, `job "environment": group "print": task "env": env HOST: ${meta.rack} stands for nothing`)
	require.Empty(t, n.Allocations())
}

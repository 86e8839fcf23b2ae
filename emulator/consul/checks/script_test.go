package checks

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sh(script string) []string { return []string{"sh", "-c", script} }

func TestScriptResult(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want Result
	}{
		"0":           {sh("echo out; echo err >&2"), passing("out\nerr\n")},
		"1":           {sh("printf out; exit 1"), warning("out")},
		"2":           {sh("exit 2"), critical("")},
		"killed":      {sh("echo a; kill -9 $$"), critical("a\n")},
		"no file":     {[]string{"/no/such", "x"}, critical("fork/exec /no/such: no such file or directory")},
		"no program":  {[]string{"nosuchprogram"}, critical(`exec: "nosuchprogram": executable file not found in $PATH`)},
		"environment": {sh(`test "$PATH" = '` + os.Getenv("PATH") + `'`), passing("")},
	} {
		assert.Equal(t, c.want, ask(t, Definition{ScriptArgs: c.args}), name)
	}
}

func TestScriptCapsOutput(t *testing.T) {
	t.Parallel()
	got := ask(t, Definition{ScriptArgs: sh("seq 1 3000"), OutputMaxSize: 30})
	assert.Equal(t, passing("Captured 30 of 13893 bytes\n...\n2995\n2996\n2997\n2998\n2999\n3000\n"), got)
}

func TestScriptTimeoutKillsTheGroup(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{"runs on": "wait", "leaves a child": "exit 0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			got := ask(t, Definition{ScriptArgs: sh("echo before; sleep 1000 & echo $! >" + file + ";" + end), Timeout: 5 * time.Second})
			assert.Equal(t, critical("Timed out (5s) running check\n\nbefore\n"), got)
			requireDead(t, file)
		})
	}
}

func TestCloseKillsTheScript(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	r, results := start(t, Definition{ScriptArgs: sh("sleep 1000 & echo $! >" + file + ".new; mv " + file + ".new " + file + "; wait"), Interval: 1}, nil)
	require.Eventually(t, func() bool { _, err := os.Stat(file); return err == nil }, patience, 5*time.Millisecond)
	r.Close()
	requireDead(t, file)
	assert.Empty(t, results)
}

// requireDead waits until the process in the file is gone, or only waits to be reaped by the system.
func requireDead(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return syscall.Kill(pid, 0) == syscall.ESRCH || strings.Contains(string(stat), ") Z ")
	}, patience, 5*time.Millisecond)
}

func TestDocker(t *testing.T) {
	t.Parallel()
	got := ask(t, Definition{DockerContainerID: "abc", Shell: "/bin/sh", ScriptArgs: []string{"true"}})
	assert.Equal(t, critical(`create exec failed for container abc: Post "http://%2Fvar%2Frun%2Fdocker.sock/containers/abc/exec": `+
		`dial unix /var/run/docker.sock: connect: no such file or directory`), got)
}

package docker

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

func TestContainers(t *testing.T) {
	t.Parallel()
	d, image := realEngine(t)
	f := d.Fingerprint(t.Context())
	assert.NotEmpty(t, f.Attributes["driver.docker.version"])
	assert.Equal(t, "linux", f.Attributes["driver.docker.os_type"])
	t.Run("output", func(t *testing.T) {
		t.Parallel()
		task := newTask(t, `{"image": "`+image+`", "entrypoint": ["/task"], "args": ["env", "FOO", "HOSTNAME"], "hostname": "hh"}`)
		exit := ended(t, start(t, d, task))
		assert.True(t, exit.Successful(), exit.Err)
		assert.Equal(t, "FOO=bar\nHOSTNAME=hh\n", task.stdout.String())
		assert.Empty(t, task.events.String(), "the image is there")
	})
	t.Run("folders", func(t *testing.T) {
		t.Parallel()
		task := newTask(t, `{"image": "`+image+`", "command": "/task", "args": ["cat", "/local/a", "/alloc/b", "/secrets/c", "/mnt/a"], "volumes": ["local:/mnt"]}`)
		for path, text := range map[string]string{task.Dir.Local() + "/a": "A", task.Dir.Shared + "/b": "B", task.Dir.Secrets() + "/c": "C"} {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		ended(t, start(t, d, task))
		assert.Equal(t, "ABCA", task.stdout.String(), task.stderr.String())
	})
	t.Run("exit", func(t *testing.T) {
		t.Parallel()
		task := newTask(t, `{"image": "`+image+`", "command": "/task", "args": ["exit", "7"]}`)
		exit := ended(t, start(t, d, task))
		assert.Equal(t, 7, exit.Code)
		require.EqualError(t, exit.Err, "Docker container exited with non-zero exit code: 7")
		assert.Equal(t, "exits\n", task.stderr.String())
		assert.Empty(t, containers(t, d, task), "it is removed")
	})
	t.Run("no program", func(t *testing.T) {
		t.Parallel()
		task := newTask(t, `{"image": "`+image+`", "command": "/nope"}`)
		_, err := d.Start(t.Context(), task.Task)
		var recoverable *driver.RecoverableError
		require.ErrorAs(t, err, &recoverable)
		assert.Regexp(t, "^Failed to start container [0-9a-f]{64}: Error response from daemon: ", err.Error())
		assert.Empty(t, containers(t, d, task))
	})
	t.Run("signals", func(t *testing.T) {
		t.Parallel()
		testSignals(t, d, image)
	})
	t.Run("exec", func(t *testing.T) {
		t.Parallel()
		testExec(t, d, image)
	})
	t.Run("load", func(t *testing.T) {
		t.Parallel()
		task := newTask(t, `{"image": "`+image+`", "load": "none.tar"}`)
		_, err := d.Start(t.Context(), task.Task)
		require.EqualError(t, err, "unable to open image archive: openat none.tar: no such file or directory")
	})
}

func testSignals(t *testing.T, d *Driver, image string) {
	task := newTask(t, `{"image": "`+image+`", "command": "/task", "args": ["wait"], "ports": ["http"]}`)
	task.Ports = []api.PortMapping{{Label: "http", Value: freePort(t), To: 8080, HostIP: "127.0.0.1"}}
	h := start(t, d, task)
	eventually(t, func() bool { return task.stdout.String() == "waits\n" }, "it runs")
	require.NotNil(t, h.Network())
	assert.NotNil(t, net.ParseIP(h.Network().IP))
	assert.Equal(t, map[string]int{"http": 8080}, h.Network().PortMap)
	assert.False(t, h.Network().AutoAdvertise)
	usage, err := h.Stats(t.Context())
	require.NoError(t, err)
	assert.NotZero(t, usage.ResourceUsage.MemoryStats.Usage)
	require.NoError(t, h.Signal(syscall.SIGUSR1))
	eventually(t, func() bool { return strings.HasSuffix(task.stdout.String(), "user defined signal 1\n") }, "it is told")
	h.Stop(syscall.SIGINT, time.Minute)
	assert.True(t, h.Exit().Successful())
	require.Error(t, h.Signal(syscall.SIGUSR1))

	stubborn := newTask(t, `{"image": "`+image+`", "command": "/task", "args": ["stay"]}`)
	h = start(t, d, stubborn)
	eventually(t, func() bool { return stubborn.stdout.String() == "stays\n" }, "it runs")
	h.Stop(syscall.SIGINT, 10*time.Millisecond)
	assert.Equal(t, 137, h.Exit().Code)
}

func testExec(t *testing.T, d *Driver, image string) {
	task := newTask(t, `{"image": "`+image+`", "command": "/task", "args": ["wait"]}`)
	h := start(t, d, task)
	run := func(stdin string, args ...string) (int, string, string) {
		var stdout, stderr output
		code, err := h.Exec(within(t), driver.Command{Args: args, Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stderr})
		require.NoError(t, err)
		return code, stdout.String(), stderr.String()
	}
	code, stdout, _ := run("through it", "/task", "copy")
	assert.Zero(t, code)
	assert.Equal(t, "through it", stdout)
	code, _, stderr := run("", "/task", "exit", "3")
	assert.Equal(t, 3, code)
	assert.Equal(t, "exits\n", stderr)
	code, _, _ = run("", "/nope")
	assert.Equal(t, 126, code)
	var stdout2 output
	sizes := make(chan driver.WindowSize, 1)
	sizes <- driver.WindowSize{Height: 10, Width: 20}
	code, err := h.Exec(within(t), driver.Command{Args: []string{"/task", "env", "FOO"}, TTY: true, Stdout: &stdout2, Resize: sizes})
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Equal(t, "FOO=bar\r\n", stdout2.String(), "as a terminal has it")
}

func TestLeftContainersAreRemoved(t *testing.T) {
	t.Parallel()
	d, image := realEngine(t)
	task := newTask(t, `{}`)
	left := &createRequest{Image: image, Cmd: []string{"/task", "wait"}, Labels: map[string]string{
		labelAllocation: task.Allocation.ID, labelOwner: strconv.Itoa(1 << 30), // no process has it
	}}
	_, err := d.engine.create(t.Context(), containerName(task.Task), left)
	require.NoError(t, err)
	kept := newTask(t, `{}`)
	left.Labels = map[string]string{labelAllocation: kept.Allocation.ID, labelOwner: strconv.Itoa(os.Getpid())}
	id, err := d.engine.create(t.Context(), containerName(kept.Task), left)
	require.NoError(t, err)
	t.Cleanup(func() { d.remove(id) })
	d.removeLeft(t.Context())
	assert.Empty(t, containers(t, d, task))
	assert.Len(t, containers(t, d, kept), 1)
}

// containers are those of the task.
func containers(t *testing.T, d *Driver, task *testTask) []any {
	t.Helper()
	var found []any
	filters := url.QueryEscape(`{"label": ["` + labelAllocation + "=" + task.Allocation.ID + `"]}`)
	require.NoError(t, d.engine.get(t.Context(), "/containers/json?all=1&filters="+filters, &found))
	return found
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestLoadStaysInside(t *testing.T) {
	t.Parallel()
	d := fakeEngine(t, nil)
	task := newTask(t, "")
	require.NoError(t, os.WriteFile(filepath.Join(task.Dir.Root, "x.tar"), nil, 0o600))
	require.ErrorContains(t, d.load(t.Context(), task.Task, "../x.tar"), "unable to open image archive")
}

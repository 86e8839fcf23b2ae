package rawexec

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/nomad/client/allocdir"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what tests wait for, on a machine that is busy.
const patience = time.Minute

// output is what a task prints, to be read while it does.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func starter(t *testing.T) *process.Starter {
	t.Helper()
	s := process.NewStarter()
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// shell is a task that runs a script.
func shell(t *testing.T, script string) (driver.Task, *output) {
	t.Helper()
	config, err := json.Marshal(map[string]any{"command": "/bin/sh", "args": []string{"-c", script}})
	require.NoError(t, err)
	dir := allocdir.Dir{Root: t.TempDir()}
	require.NoError(t, dir.Build([]string{"t"}))
	out := new(output)
	return driver.Task{
		ID: t.Name(), Name: "t", Config: config, Dir: dir.Task("t"), Path: os.Getenv("PATH"),
		Env: map[string]string{"GREETING": "hello"}, Stdout: out, Stderr: io.Discard,
		Resources: &api.AllocatedTaskResources{
			Cpu: api.AllocatedCpuResources{CpuShares: 100}, Memory: api.AllocatedMemoryResources{MemoryMB: 32},
		},
	}, out
}

func begin(t *testing.T, d driver.Driver, task driver.Task) driver.Handle {
	t.Helper()
	h, err := d.Start(t.Context(), task)
	require.NoError(t, err)
	t.Cleanup(func() { h.Stop(syscall.SIGKILL, 0) })
	return h
}

func ended(t *testing.T, h driver.Handle) driver.Exit {
	t.Helper()
	select {
	case <-h.Done():
	case <-time.After(patience):
		require.Fail(t, "the task does not end")
	}
	return h.Exit()
}

func TestTasksEnd(t *testing.T) {
	t.Parallel()
	s := starter(t)
	for _, d := range []driver.Driver{NewRaw(s), NewExec(s)} {
		for script, want := range map[string]driver.Exit{
			"echo $GREETING": {}, "echo $GREETING; exit 3": {Code: 3}, "echo $GREETING; kill -9 $$": {Signal: 9},
		} {
			t.Run(d.Name()+" "+script, func(t *testing.T) {
				t.Parallel()
				task, out := shell(t, script)
				require.Equal(t, want, ended(t, begin(t, d, task)))
				require.Equal(t, "hello\n", out.String())
			})
		}
	}
}

func TestWhatCannotStart(t *testing.T) {
	t.Parallel()
	d := NewRaw(starter(t))
	for name, c := range map[string]struct {
		change func(*driver.Task)
		want   string
	}{
		"program": {func(task *driver.Task) { task.Config = json.RawMessage(`{"command": "nonesuch"}`) }, `binary "nonesuch" could not be found`},
		"user":    {func(task *driver.Task) { task.User = "nobody-of-this-name" }, `failed to get user "nobody-of-this-name"`},
		"folder": {func(task *driver.Task) {
			task.Config = json.RawMessage(`{"command": "/bin/sh", "work_dir": "/nonesuch"}`)
		}, "no such file"},
	} {
		task, _ := shell(t, "")
		c.change(&task)
		_, err := d.Start(t.Context(), task)
		require.ErrorContains(t, err, c.want, name)
		require.ErrorContains(t, err, "failed to launch command with executor", name)
	}
}

func TestExecWithinATask(t *testing.T) {
	t.Parallel()
	task, _ := shell(t, "exec sleep 1000")
	h := begin(t, NewRaw(starter(t)), task)
	out := new(output)
	code, err := h.Exec(t.Context(), driver.Command{
		Args: []string{"sh", "-c", "cat; echo $GREETING; pwd; exit 5"}, Stdin: strings.NewReader("typed "), Stdout: out, Stderr: io.Discard,
	})
	require.NoError(t, err)
	require.Equal(t, 5, code)
	require.Equal(t, "typed hello\n"+task.Dir.Root+"\n", out.String())

	_, err = h.Exec(t.Context(), driver.Command{Args: []string{"nonesuch"}, Stdout: out, Stderr: io.Discard})
	require.EqualError(t, err, `rpc error: code = Unknown desc = failed to start command: exec: "nonesuch": executable file not found in $PATH`)

	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan error, 1)
	go func() {
		_, err := h.Exec(ctx, driver.Command{Args: []string{"sleep", "1000"}, Stdout: out, Stderr: io.Discard})
		running <- err
	}()
	cancel()
	require.ErrorIs(t, <-running, context.Canceled)
}

func TestExecOnATerminal(t *testing.T) {
	t.Parallel()
	task, _ := shell(t, "exec sleep 1000")
	h := begin(t, NewRaw(starter(t)), task)
	out, resize := new(output), make(chan driver.WindowSize, 1)
	resize <- driver.WindowSize{Height: 33, Width: 77}
	typed, keys := io.Pipe()
	defer keys.Close()
	code := make(chan int, 1)
	go func() {
		c, err := h.Exec(t.Context(), driver.Command{
			Args:  []string{"sh", "-c", `until [ "$(stty size)" = "33 77" ]; do sleep 0.01; done; tty; read line; echo "got $line"; exit 4`},
			Stdin: typed, Stdout: out, TTY: true, Resize: resize,
		})
		if err != nil {
			c = -1
		}
		code <- c
	}()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "/dev/pts/") }, patience, time.Millisecond)
	_, err := keys.Write([]byte("this\n"))
	require.NoError(t, err)
	require.Equal(t, 4, <-code)
	require.Contains(t, out.String(), "got this")
}

func TestExecEndsWithTheTask(t *testing.T) {
	t.Parallel()
	task, _ := shell(t, "exec sleep 1000")
	h := begin(t, NewRaw(starter(t)), task)
	out, running := new(output), make(chan int, 1)
	go func() {
		code, _ := h.Exec(t.Context(), driver.Command{Args: []string{"sh", "-c", "echo on; sleep 1000"}, Stdout: out, Stderr: io.Discard})
		running <- code
	}()
	require.Eventually(t, func() bool { return out.String() != "" }, patience, time.Millisecond)
	h.Stop(syscall.SIGINT, patience)
	require.Equal(t, 137, <-running)
}

func TestStats(t *testing.T) {
	t.Parallel()
	s := starter(t)
	for _, d := range []driver.Driver{NewRaw(s), NewExec(s)} {
		t.Run(d.Name(), func(t *testing.T) {
			t.Parallel()
			task, out := shell(t, "sleep 1000 & echo started; while true; do :; done")
			h := begin(t, d, task)
			require.Eventually(t, func() bool { return out.String() != "" }, patience, time.Millisecond)
			require.Eventually(t, func() bool {
				usage, err := h.Stats(t.Context())
				return err == nil && usage.ResourceUsage.CpuStats.Percent > 1 && usage.ResourceUsage.MemoryStats.RSS > 0 && len(usage.Pids) == 2
			}, patience, 10*time.Millisecond)
		})
	}
}

// TestExecLimitsMemory needs root, and a machine with control groups.
func TestExecLimitsMemory(t *testing.T) {
	t.Parallel()
	d := NewExec(starter(t))
	if d.unlimited != nil {
		t.Skip(d.unlimited)
	}
	require.Equal(t, "memory,cpu", d.Fingerprint(t.Context()).Attributes["driver.exec.limits"])
	task, _ := shell(t, `x=$(head -c 200000000 /dev/zero | tr '\0' x); echo "${#x}"`)
	exit := ended(t, begin(t, d, task))
	require.True(t, exit.OOMKilled)
	require.False(t, exit.Successful())
}

func TestExecSaysWhatItDoesNot(t *testing.T) {
	t.Parallel()
	d := NewExec(starter(t))
	d.limits, d.unlimited = nil, os.ErrPermission
	d.isolated, d.shared = false, os.ErrNotExist
	f := d.Fingerprint(t.Context())
	require.True(t, f.Healthy)
	require.False(t, d.Capabilities().Isolated)
	require.Equal(t, "Healthy, but tasks are not isolated (file does not exist), tasks are not limited (permission denied)", f.Description)
	task, _ := shell(t, "true")
	require.True(t, ended(t, begin(t, d, task)).Successful())
}

func TestUserOfATask(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root runs tasks as another user")
	}
	credential, err := credentialOf("nobody")
	require.NoError(t, err)
	require.NotZero(t, credential.Uid)
	credential, err = credentialOf("root")
	require.NoError(t, err)
	require.Nil(t, credential, "who it is anyway")
}

package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/nomad/client/allocdir"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output takes what a task prints.
type output struct {
	mu   sync.Mutex
	text strings.Builder
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

// testTask is a task with what it prints and tells.
type testTask struct {
	driver.Task
	stdout, stderr, events output
}

// newTask makes a task with the config block, as JSON, and its directory.
func newTask(t *testing.T, config string) *testTask {
	t.Helper()
	dir := allocdir.Dir{Root: t.TempDir()}
	require.NoError(t, dir.Build([]string{"t"}))
	task := &testTask{}
	task.Task = driver.Task{
		Name: "t", Allocation: &api.Allocation{ID: uuid.NewString()}, Config: json.RawMessage(config), Dir: dir.Task("t"),
		Env: map[string]string{"FOO": "bar"}, Stdout: &task.stdout, Stderr: &task.stderr,
		Resources: &api.AllocatedTaskResources{Cpu: api.AllocatedCpuResources{CpuShares: 50}, Memory: api.AllocatedMemoryResources{MemoryMB: 32}},
		Emit: func(message string, details map[string]string) {
			_, _ = io.WriteString(&task.events, message+" "+details["image"]+"\n")
		},
	}
	return task
}

// realEngine is a driver of the engine of this machine, and an image in it that
// goes with the test. Without an engine the test is skipped.
func realEngine(t *testing.T) (*Driver, string) {
	t.Helper()
	d, err := New(os.Getenv("DOCKER_HOST"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(d.Close)
	if !d.Fingerprint(t.Context()).Healthy {
		t.Skip("no container engine answers: start dockerd, or set DOCKER_HOST")
	}
	return d, imported(t, d)
}

// imported gives the engine an image, whose name it returns.
func imported(t *testing.T, d *Driver) string {
	t.Helper()
	const repository = "drydock.test/task"
	tag := uuid.NewString()
	program := filepath.Join(t.TempDir(), "task")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/task")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	text, err := build.CombinedOutput()
	require.NoError(t, err, string(text))
	binary, err := os.ReadFile(program)
	require.NoError(t, err)
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "task", Mode: 0o755, Size: int64(len(binary))}))
	_, err = w.Write(binary)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	response, err := d.engine.send(t.Context(), http.MethodPost, "/images/create?fromSrc=-&repo="+repository+"&tag="+tag, nil, &archive)
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, read(response.Body, func(progress) {}))
	image := repository + ":" + tag
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
		defer cancel()
		assert.NoError(t, d.engine.delete(ctx, "/images/"+image+"?force=1"))
	})
	return image
}

// start starts the task, which ends with the test.
func start(t *testing.T, d *Driver, task *testTask) driver.Handle {
	t.Helper()
	h, err := d.Start(t.Context(), task.Task)
	require.NoError(t, err)
	t.Cleanup(func() { h.Stop(9, time.Second) })
	return h
}

// ended waits for the end.
func ended(t *testing.T, h driver.Handle) driver.Exit {
	t.Helper()
	select {
	case <-h.Done():
	case <-time.After(time.Minute):
		require.Fail(t, "it does not end")
	}
	return h.Exit()
}

func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, 10*time.Millisecond, what)
}

var errGone = errors.New("gone")

// brokenReader gives some text and fails.
type brokenReader struct{ text io.Reader }

func (r brokenReader) Read(p []byte) (int, error) {
	n, err := r.text.Read(p)
	if errors.Is(err, io.EOF) {
		err = errGone
	}
	return n, err
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

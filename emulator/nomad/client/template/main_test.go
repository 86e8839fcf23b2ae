package template

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	"github.com/drydock/drydock/emulator/nomad/client/environment"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// eventually waits as long as a loaded machine may need.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, 10*time.Millisecond, what)
}

// fakeTask is a task that remembers what it was told.
type fakeTask struct {
	spec *api.Task
	dir  allocdir.Dir
	exec func(driver.Command) (int, error)

	mu     sync.Mutex
	events []*api.TaskEvent
	token  string
}

// newTask makes a task with the templates in an allocation directory.
func newTask(t *testing.T, templates ...*api.Template) *fakeTask {
	t.Helper()
	f := &fakeTask{spec: &api.Task{Name: "t", Templates: templates}, dir: allocdir.Dir{Root: t.TempDir()}, token: "identity"}
	for _, spec := range templates {
		spec.Canonicalize()
	}
	require.NoError(t, f.dir.Build([]string{"t"}))
	return f
}

func (f *fakeTask) Allocation() *api.Allocation { return &api.Allocation{Namespace: "default"} }
func (f *fakeTask) Spec() *api.Task             { return f.spec }
func (f *fakeTask) Node() *api.Node             { return &api.Node{} }
func (f *fakeTask) Dir() allocdir.Task          { return f.dir.Task("t") }
func (f *fakeTask) Env() environment.Env {
	return environment.New(map[string]string{"NOMAD_TASK_NAME": "t", "NOMAD_TASK_DIR": "/local"}, map[string]string{"attr.kernel.name": "linux"})
}
func (f *fakeTask) Running() bool            { return true }
func (f *fakeTask) Network() *driver.Network { return nil }

func (f *fakeTask) Token() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.token
}

func (f *fakeTask) Emit(event *api.TaskEvent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, event)
}

func (f *fakeTask) Restart(event *api.TaskEvent, _ bool) { f.Emit(event) }
func (f *fakeTask) Kill(event *api.TaskEvent)            { f.Emit(event) }
func (f *fakeTask) Signal(event *api.TaskEvent, _ syscall.Signal) error {
	f.Emit(event)
	return nil
}
func (f *fakeTask) Exec(_ context.Context, c driver.Command) (int, error) { return f.exec(c) }

// told are the events, each as its type and its message.
func (f *fakeTask) told() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, e := range f.events {
		all = append(all, e.Type+": "+e.DisplayMessage)
	}
	return all
}

func (f *fakeTask) event(i int) *api.TaskEvent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events[i]
}

func (f *fakeTask) tells(t *testing.T, want string) {
	t.Helper()
	eventually(t, func() bool { return slices.Contains(f.told(), want) }, want)
}

func (f *fakeTask) read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir.Root, path))
	require.NoError(t, err)
	return string(text)
}

func (f *fakeTask) becomes(t *testing.T, path, want string) {
	t.Helper()
	eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(f.dir.Root, path))
		return err == nil && string(text) == want
	}, path+" is "+want)
}

// newTemplates makes the hook, which ends with the test.
func newTemplates(t *testing.T, c Config, task *fakeTask) hook.Templates {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	templates, err := New(c)(task)
	require.NoError(t, err)
	t.Cleanup(templates.Stop)
	return templates
}

// fakeRegion answers for variables as the region's HTTP API does, with
// blocking questions.
type fakeRegion struct {
	*httptest.Server

	mu        sync.Mutex
	variables map[string]map[string]string
	tokens    []string // of the questions
	index     int
	changed   chan struct{}
}

func startRegion(t *testing.T) *fakeRegion {
	t.Helper()
	r := &fakeRegion{variables: map[string]map[string]string{}, index: 10, changed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/var/{path...}", r.variable)
	r.Server = httptest.NewServer(mux)
	t.Cleanup(func() { r.CloseClientConnections(); r.Close() })
	return r
}

func (r *fakeRegion) put(path string, items map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.variables[path] = items
	r.index++
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *fakeRegion) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.tokens)
}

func (r *fakeRegion) variable(w http.ResponseWriter, request *http.Request) {
	after, _ := strconv.Atoi(request.FormValue("index"))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens = append(r.tokens, request.Header.Get("X-Nomad-Token"))
	for r.index <= after {
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-request.Context().Done():
		}
		r.mu.Lock()
		if request.Context().Err() != nil {
			return
		}
	}
	w.Header().Set("X-Nomad-Index", strconv.Itoa(r.index))
	path := request.PathValue("path")
	items := r.variables[path]
	if items == nil {
		http.Error(w, "variable not found", http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(&api.Variable{Namespace: "default", Path: strings.Trim(path, "/"), Items: items})
}

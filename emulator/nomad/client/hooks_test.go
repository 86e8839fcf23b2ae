package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// record is what hooks were told, in its order.
type record struct {
	mu    sync.Mutex
	calls []string
}

func (r *record) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
}

func (r *record) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.calls...)
}

// recorded are services and templates that remember what they are told.
type recorded struct {
	*record
	task    hook.Task
	fails   error
	passing bool
	changed chan struct{}
}

func (r *recorded) Prerun(context.Context) error { r.add("prerun"); return r.fails }
func (r *recorded) PreKillGroup()                { r.add("group goes") }
func (r *recorded) PreKill(t hook.Task)          { r.add("%s goes", t.Spec().Name) }
func (r *recorded) Exited(t hook.Task)           { r.add("%s exited, running %v", t.Spec().Name, t.Running()) }
func (r *recorded) Update(*api.Allocation)       { r.add("update") }
func (r *recorded) Stop()                        { r.add("stop") }

func (r *recorded) Checks() api.AllocCheckStatuses {
	return api.AllocCheckStatuses{"c": {ID: "c", Status: "success"}}
}

func (r *recorded) Healthy() (bool, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.passing, r.changed
}

// serviceRecord is recorded, as services.
type serviceRecord struct{ *recorded }

func (r serviceRecord) Poststart(t hook.Task) {
	r.task = t // before it is told, so that who has heard of it may use it
	r.add("%s runs %v", t.Spec().Name, t.Running())
}

// templateRecord is recorded, as templates.
type templateRecord struct{ *recorded }

func (r templateRecord) Prestart(context.Context) error { r.add("render"); return r.fails }
func (r templateRecord) Env() map[string]string         { return map[string]string{"RENDERED": "yes"} }
func (r templateRecord) Poststart()                     { r.add("templates act") }

const hooked = `service {
		name     = "web"
		provider = "nomad"
		port     = "80"
	}
	update {
		min_healthy_time = "1ms"
	}
	task "t" {
		driver = "raw_exec"
		template {
			data        = "x"
			destination = "local/x"
		}
		config {
			command = "/bin/sh"
			args    = ["-c", "test ${RENDERED} = yes && exec sleep 1000"]
		}
	}`

func TestHooksAreToldInOrder(t *testing.T) {
	t.Parallel()
	server, calls := newFakeServer(), new(record)
	services := &recorded{record: calls, changed: make(chan struct{})}
	node := testNode(t, server, func(o *Options) {
		o.Services = func(hook.Allocation) (hook.Services, error) { return serviceRecord{services}, nil }
		o.Templates = func(hook.Task) (hook.Templates, error) { return templateRecord{&recorded{record: calls}}, nil }
	})
	id := server.place(taskJob(t, "service", hooked), func(a *api.Allocation) { a.DeploymentID = "d" })
	server.await(t, id, "running")
	eventually(t, "the process runs", func() bool { return len(calls.all()) == 4 })
	require.Nil(t, server.get(id).DeploymentStatus, "checks do not pass")
	checks, err := node.AllocationChecks(id)
	require.NoError(t, err)
	require.Equal(t, "success", checks["c"].Status)

	services.mu.Lock()
	services.passing = true
	close(services.changed)
	services.changed = make(chan struct{})
	services.mu.Unlock()
	eventually(t, "it is healthy", func() bool {
		status := server.get(id).DeploymentStatus
		return status != nil && *status.Healthy
	})

	services.task.Restart(restartSignaledEvent("healthcheck: x unhealthy"), true)
	eventually(t, "it waits as the restart policy says", func() bool { return server.get(id).TaskStates["t"].Restarts == 1 })
	require.Regexp(t, "Task restarting in 1[5-8]\\.", shown(server.get(id).TaskStates["t"])[5]) // the policy's delay
	server.change(id, func(*api.Allocation) {})
	eventually(t, "the update is told", func() bool { return len(calls.all()) == 7 })
	server.stop(id)
	server.await(t, id, "complete")
	require.Equal(t, []string{
		"prerun", "render", "t runs true", "templates act", "t goes", "t exited, running false", "update", "group goes", "stop", "stop",
	}, calls.all())
}

func TestHooksThatFail(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, change := range map[string]func(*Options){
		"services":       func(o *Options) { o.Services = func(hook.Allocation) (hook.Services, error) { return nil, broken } },
		"prerun":         func(o *Options) { o.Services = servicesThat(broken) },
		"templates":      func(o *Options) { o.Templates = func(hook.Task) (hook.Templates, error) { return nil, broken } },
		"rendering":      func(o *Options) { o.Templates = templatesThat(broken) },
		"none to render": func(o *Options) { o.Templates = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFakeServer()
			testNode(t, server, func(o *Options) {
				o.Services, o.Templates = servicesThat(nil), templatesThat(nil)
				change(o)
			})
			id := server.place(taskJob(t, "service", hooked))
			state := server.await(t, id, "failed").TaskStates["t"]
			require.Contains(t, fmt.Sprint(shown(state)), "Task hook failed")
		})
	}
}

func servicesThat(err error) hook.NewServices {
	return func(hook.Allocation) (hook.Services, error) {
		return serviceRecord{&recorded{record: new(record), fails: err}}, nil
	}
}

func templatesThat(err error) hook.NewTemplates {
	return func(hook.Task) (hook.Templates, error) {
		return templateRecord{&recorded{record: new(record), fails: err}}, nil
	}
}

func TestWhatAHookMayAsk(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	services := &recorded{record: new(record), passing: true}
	node := testNode(t, server, func(o *Options) {
		o.Services = func(hook.Allocation) (hook.Services, error) { return serviceRecord{services}, nil }
		o.Templates = templatesThat(nil)
	})
	id := server.place(taskJob(t, "service", hooked))
	server.await(t, id, "running")
	eventually(t, "the task is told", func() bool { return len(services.all()) == 2 })
	task := services.task
	require.Equal(t, id, task.Allocation().ID)
	require.Equal(t, node.Node(), task.Node())
	require.Nil(t, task.Network())
	require.NotEmpty(t, task.Token())
	value, _ := task.Env().Get("RENDERED")
	require.Equal(t, "yes", value)
	code, err := task.Exec(t.Context(), driver.Command{Args: []string{"sh", "-c", "exit 3"}, Stdout: io.Discard, Stderr: io.Discard})
	require.NoError(t, err)
	require.Equal(t, 3, code)
	task.Emit(&api.TaskEvent{Type: "Template", DisplayMessage: "Missing: x"})
	task.Kill(&api.TaskEvent{Type: api.TaskKilling, DisplayMessage: "no more", FailsTask: true})
	state := server.await(t, id, "failed").TaskStates["t"]
	require.Subset(t, shown(state), []string{"Template: Missing: x", "Killing: no more"})
	_, err = task.Exec(t.Context(), driver.Command{Args: []string{"sh"}})
	require.ErrorIs(t, err, errTaskNotRunning)
}

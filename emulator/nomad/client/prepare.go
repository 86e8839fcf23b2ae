package client

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	taskenv "github.com/drydock/drydock/emulator/nomad/client/environment"
)

// prepare does what precedes each start of the task, and returns what the driver
// is to start. An error that is no *setupError fails the setup.
func (t *taskRunner) prepare() (driver.Task, error) {
	user := t.env.Interpolate(t.spec().User)
	if err := t.alloc.node.options.checkUser(t.spec(), user); err != nil {
		return driver.Task{}, err
	}
	if t.firstStart() {
		t.emit(setupEvent())
	}
	if t.driver == nil {
		return driver.Task{}, fmt.Errorf("driver %q is not on this node", t.spec().Driver)
	}
	if err := t.writePayload(); err != nil {
		return driver.Task{}, err
	}
	if err := t.prepareIdentities(); err != nil {
		return driver.Task{}, err
	}
	t.openSocket()
	if err := t.fetchArtifacts(); err != nil {
		return driver.Task{}, err
	}
	if err := t.renderTemplates(); err != nil {
		return driver.Task{}, err
	}
	if !t.virtual() {
		t.logs.open()
	}
	return t.driverTask()
}

// firstStart reports whether the task has never been prepared.
func (t *taskRunner) firstStart() bool {
	t.alloc.mu.Lock()
	defer t.alloc.mu.Unlock()
	return t.starts == 0
}

// driverTask is the task as the driver is to start it now.
func (t *taskRunner) driverTask() (driver.Task, error) {
	env := t.environment()
	config, err := t.alloc.node.configs.decode(t.spec(), t.driver.Schema(), env)
	if err != nil {
		return driver.Task{}, &setupError{event: validationEvent(err)}
	}
	mounts, err := t.mounts()
	if err != nil {
		return driver.Task{}, err
	}
	path, _ := env.Get("PATH")
	alloc := t.alloc.latest()
	return driver.Task{
		ID: t.startID(), Name: t.spec().Name, Allocation: alloc,
		Config: config, Env: env.Map(), User: env.Interpolate(t.spec().User), Path: path, Dir: t.dir,
		Stdout: t.logs.stdout, Stderr: t.logs.stderr,
		Resources: taskResources(alloc, t.spec().Name), Ports: allocatedPorts(alloc), Mounts: mounts,
		Emit: func(message string, details map[string]string) {
			t.emit(&api.TaskEvent{
				Type: api.TaskDriverMessage, DisplayMessage: message, DriverMessage: message, Details: details,
			})
		},
	}, nil
}

// latest is the allocation as the servers said last.
func (a *allocRunner) latest() *api.Allocation {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.alloc
}

// environment is the environment as the next process of the task has it.
func (t *taskRunner) environment() taskenv.Env {
	env := t.env.With(t.identities.variables())
	t.alloc.mu.Lock()
	templates := t.templates
	t.alloc.mu.Unlock()
	if templates != nil {
		env = env.With(templates.Env())
	}
	path, _ := env.Get("PATH")
	if len(t.alloc.node.options.Path) > 0 {
		env = env.With(map[string]string{"PATH": searchPath(t.alloc.node.options.Path, path)})
	}
	return env
}

// writePayload writes what the job was dispatched with to where the task wants it.
func (t *taskRunner) writePayload() error {
	payload := t.alloc.latest().Job.Payload
	if t.spec().DispatchPayload == nil || t.spec().DispatchPayload.File == "" || len(payload) == 0 {
		return nil
	}
	root, err := os.OpenRoot(t.dir.Local())
	if err != nil {
		return fmt.Errorf("write the dispatch payload: %w", err)
	}
	defer root.Close()
	if err := root.MkdirAll(filepath.Dir(t.spec().DispatchPayload.File), 0o777); err != nil {
		return fmt.Errorf("write the dispatch payload: %w", err)
	}
	if err := root.WriteFile(t.spec().DispatchPayload.File, payload, 0o644); err != nil {
		return fmt.Errorf("write the dispatch payload: %w", err)
	}
	return nil
}

// renderTemplates has all templates rendered, and makes what renders them the
// first time.
func (t *taskRunner) renderTemplates() error {
	if len(t.spec().Templates) == 0 {
		return nil
	}
	t.alloc.mu.Lock()
	templates := t.templates
	t.alloc.mu.Unlock()
	if templates == nil {
		if t.alloc.node.options.Templates == nil {
			return fmt.Errorf("template: this node renders none")
		}
		var err error
		if templates, err = t.alloc.node.options.Templates(taskHook{t}); err != nil {
			return fmt.Errorf("template: %w", err)
		}
		t.alloc.mu.Lock()
		t.templates = templates
		t.alloc.mu.Unlock()
	}
	return templates.Prestart(t.ctx)
}

package services

import (
	"bytes"
	"context"

	consul "github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// runScript runs a script check within its task until the context ends, and
// tells Consul what it found.
func (a *allocation) runScript(ctx context.Context, w *watched) {
	pace := pace{interval: w.spec.Interval}
	for {
		found := w.script(ctx, a.task(w.task))
		if ctx.Err() != nil {
			return
		}
		// It may not be registered yet, or Consul not be there: sooner again.
		err := a.config.Consul.update(ctx, w.id, found)
		if err != nil {
			a.config.Logger.Debug("the result of a script check is not stored", "check", w.name, "error", err)
		}
		if !pace.wait(ctx, w.wake, err == nil) {
			return
		}
	}
}

func (a *allocation) task(name string) hook.Task {
	for _, t := range a.of.Tasks() {
		if t.Spec().Name == name {
			return t
		}
	}
	return nil
}

// script runs the command once.
func (c check) script(ctx context.Context, task hook.Task) result {
	if task == nil || !task.Running() {
		return result{status: consul.HealthCritical, output: "task not found for given id"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.spec.Timeout)
	defer cancel()
	output := &limitedBuffer{limit: maxOutput}
	env := task.Env()
	args := make([]string, len(c.command))
	for i, arg := range c.command {
		args[i] = env.Interpolate(arg)
	}
	code, err := task.Exec(ctx, driver.Command{Args: args, Stdin: bytes.NewReader(nil), Stdout: output, Stderr: output})
	switch {
	case err != nil:
		return result{status: consul.HealthCritical, output: err.Error()}
	case code == 0:
		return result{status: consul.HealthPassing, output: output.String()}
	case code == 1:
		return result{status: consul.HealthWarning, output: output.String()}
	}
	return result{status: consul.HealthCritical, output: output.String()}
}

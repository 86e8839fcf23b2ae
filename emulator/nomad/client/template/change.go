package template

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/nomad/api"
	"golang.org/x/sys/unix"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// What a change of a template does.
const (
	modeNoop    = "noop"
	modeRestart = "restart"
	modeSignal  = "signal"
	modeScript  = "script"
)

// change is what is to be done about templates that have changed.
type change struct {
	restart bool
	signals []syscall.Signal
	scripts []*api.ChangeScript
	due     time.Time // after a random part of the longest splay
}

func (c *change) any() bool { return c.restart || len(c.signals) > 0 || len(c.scripts) > 0 }

// add adds what a template that has changed asks for.
func (c *change) add(spec *api.Template) {
	switch *spec.ChangeMode {
	case modeNoop:
		return
	case modeRestart:
		c.restart = true
	case modeSignal:
		if signal := unix.SignalNum(strings.ToUpper(*spec.ChangeSignal)); !slices.Contains(c.signals, signal) {
			c.signals = append(c.signals, signal)
		}
	case modeScript:
		c.scripts = append(c.scripts, spec.ChangeScript)
	}
	due := time.Now()
	if *spec.Splay > 0 {
		due = due.Add(rand.N(*spec.Splay))
	}
	if due.After(c.due) {
		c.due = due
	}
}

// act does what is due, and returns when something will be; zero for never.
func (r *renderer) act() time.Time {
	r.mu.Lock()
	if !r.running || !r.pending.any() {
		r.mu.Unlock()
		return time.Time{}
	}
	if due := r.pending.due; time.Now().Before(due) {
		r.mu.Unlock()
		return due
	}
	now := r.pending
	r.pending = change{}
	r.mu.Unlock()
	if now.restart {
		r.task.Restart(&api.TaskEvent{
			Type: api.TaskRestartSignal, DisplayMessage: "Template with change_mode restart re-rendered",
		}, false)
		return time.Time{}
	}
	for _, signal := range now.signals {
		r.signal(signal)
	}
	for _, script := range now.scripts {
		r.goroutines.Go(func() { r.runScript(script) })
	}
	return time.Time{}
}

func (r *renderer) signal(signal syscall.Signal) {
	err := r.task.Signal(&api.TaskEvent{
		Type: api.TaskSignaling, DisplayMessage: "Template re-rendered", TaskSignal: signal.String(),
		Details: map[string]string{"task_signal": signal.String()},
	}, signal)
	if err != nil {
		r.log.Warn("a template's signal was not sent", "task", r.task.Spec().Name, "signal", signal, "error", err)
	}
}

// runScript runs a change_script within the task.
func (r *renderer) runScript(script *api.ChangeScript) {
	ctx, cancel := context.WithTimeout(r.ctx, *script.Timeout)
	defer cancel()
	command, args := *script.Command, script.Args
	code, err := r.task.Exec(ctx, driver.Command{
		Args: append([]string{command}, args...), Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
	})
	if r.ctx.Err() != nil {
		return
	}
	event := &api.TaskEvent{Type: hookFailed}
	switch {
	case err != nil:
		event.DisplayMessage = fmt.Sprintf("Template failed to run script %v with arguments %v on change: %v. Exit code: %d", command, args, err, code)
	case code != 0:
		event.DisplayMessage = fmt.Sprintf("Template ran script %v with arguments %v on change but it exited with code: %d", command, args, code)
	default:
		event.Type = hookMessage
		event.DisplayMessage = fmt.Sprintf("Template successfully ran script %v with arguments: %v. Exit code: %d", command, args, code)
	}
	r.task.Emit(event)
	if event.Type == hookFailed && *script.FailOnError {
		r.task.Kill(killing("Template script failed, task is being killed"))
	}
}

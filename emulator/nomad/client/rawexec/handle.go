package rawexec

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/process"
)

// handle is a task that was started.
type handle struct {
	*process.Process
	driver  *Driver
	command process.Command // as it was started, for commands within
	task    driver.Task
	usage   usage
	group   *group // nil without limits
	done    chan struct{}
	oom     bool // readable once done is closed
}

func newHandle(d *Driver, p *process.Process, group *group, command process.Command, task driver.Task) *handle {
	h := &handle{
		Process: p, driver: d, command: command, task: task, usage: usage{began: time.Now()},
		group: group, done: make(chan struct{}),
	}
	go h.follow()
	return h
}

// follow waits for the end of the program, and removes the group with what is
// left in it.
func (h *handle) follow() {
	defer close(h.done)
	<-h.Process.Done()
	if h.group == nil {
		return
	}
	h.oom = h.group.OOMKilled()
	_ = h.group.Remove() // one that stays is removed at the next start
}

// Done is closed when the program and its group have ended.
func (h *handle) Done() <-chan struct{} { return h.done }

// Stop ends the program, and returns when its group has ended.
func (h *handle) Stop(signal syscall.Signal, timeout time.Duration) {
	h.Process.Stop(signal, timeout)
	<-h.done
}

// Exit says how the program ended.
func (h *handle) Exit() driver.Exit {
	code, signal, err := h.Process.Exit()
	return driver.Exit{Code: code, Signal: int(signal), OOMKilled: h.oom, Err: err}
}

// Signal sends a signal to the program.
func (h *handle) Signal(signal syscall.Signal) error {
	if err := h.Process.Signal(signal); err != nil {
		return fmt.Errorf("send %v: %w", signal, err)
	}
	return nil
}

// Stats measures the processes of the group.
func (h *handle) Stats(ctx context.Context) (*api.TaskResourceUsage, error) {
	usage, err := h.usage.measure(ctx, h.PID())
	if err != nil || h.group == nil {
		return usage, err
	}
	if memory, err := h.group.Usage(); err == nil { // it ends meanwhile: what was measured of its processes is left
		usage.ResourceUsage.MemoryStats = memoryOf(memory)
	}
	return usage, nil
}

// Network is the machine's.
func (h *handle) Network() *driver.Network { return nil }

// Exec runs a command as the task runs: its environment, folder and user.
func (h *handle) Exec(ctx context.Context, c driver.Command) (int, error) {
	path, err := h.driver.find(c.Args[0], h.task)
	if err != nil {
		return 0, execError(c.Args[0])
	}
	command := h.command
	command.Path, command.Args = path, c.Args[1:]
	command.Confine = confineAll(h.group.confine, h.joinTask())
	command.Stdin, command.Stdout, command.Stderr = c.Stdin, c.Stdout, c.Stderr
	if c.TTY {
		return h.execOnTerminal(ctx, command, c)
	}
	p, err := h.driver.starter.Start(command)
	if err != nil {
		return 0, fmt.Errorf("rpc error: code = Unknown desc = failed to start command: %w", err)
	}
	return h.await(ctx, p)
}

// joinTask has a command see what the isolated task sees.
func (h *handle) joinTask() confinement {
	if h.driver.isolated {
		return join(h.PID(), h.task.Dir.Root)
	}
	return nil
}

func execError(program string) error {
	return fmt.Errorf("rpc error: code = Unknown desc = failed to start command: exec: %q: executable file not found in $PATH", program)
}

// await waits for the end of a command, which it brings about when the context
// or the task ends.
func (h *handle) await(ctx context.Context, p *process.Process) (int, error) {
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		<-p.Done()
		return 0, ctx.Err()
	case <-h.Done():
		p.Kill()
		<-p.Done()
	}
	code, signal, err := p.Exit()
	if signal != 0 {
		code = 128 + int(signal)
	}
	return code, err
}

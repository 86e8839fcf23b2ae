package mock

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// handle is a task that pretends to run. It has no goroutine unless it prints.
type handle struct {
	config  config
	network *driver.Network
	stop    chan struct{} // closed when it ends, for what prints
	done    chan struct{}
	timer   *time.Timer // that ends it by itself
	prints  sync.WaitGroup

	once sync.Once
	exit driver.Exit
}

// begin starts what the task does.
func (h *handle) begin(task driver.Task) {
	c := h.config
	h.print(task.Stdout, c.StdoutString, c.StdoutRepeat, time.Duration(c.StdoutEvery))
	h.print(task.Stderr, c.StderrString, c.StderrRepeat, time.Duration(c.StderrEvery))
	exit := c.exit()
	runFor := time.Duration(c.RunFor)
	if after := time.Duration(c.PluginExitAfter); after > 0 && after < runFor {
		runFor, exit = after, driver.Exit{Code: -1, Err: errors.New("plugin has shut down")}
	}
	h.timer = time.AfterFunc(runFor, func() { h.end(exit) })
}

func (s *script) exit() driver.Exit {
	exit := driver.Exit{Code: s.ExitCode, Signal: s.ExitSignal}
	if s.ExitErrMsg != "" {
		exit.Err = errors.New(s.ExitErrMsg)
	}
	return exit
}

// print writes a text once, and again so many times after a while each.
func (h *handle) print(to io.Writer, text string, repeat int, every time.Duration) {
	if text == "" {
		return
	}
	_, _ = io.WriteString(to, text) // the logs of a task never fail
	if repeat <= 0 {
		return
	}
	h.prints.Go(func() {
		ticker := time.NewTicker(max(every, time.Millisecond))
		defer ticker.Stop()
		for range repeat {
			select {
			case <-ticker.C:
				_, _ = io.WriteString(to, text)
			case <-h.stop:
				return
			}
		}
	})
}

// end ends the task; the first end counts.
func (h *handle) end(exit driver.Exit) {
	h.once.Do(func() {
		h.exit = exit
		close(h.stop)
		h.prints.Wait()
		close(h.done)
	})
}

// Done is closed when the task has ended.
func (h *handle) Done() <-chan struct{} { return h.done }

// Exit is what the config block says, or success for a task that was stopped.
func (h *handle) Exit() driver.Exit { return h.exit }

// Stop ends the task after its kill_after.
func (h *handle) Stop(_ syscall.Signal, timeout time.Duration) {
	h.timer.Stop()
	select {
	case <-time.After(min(time.Duration(h.config.KillAfter), timeout)):
	case <-h.done:
	}
	h.end(driver.Exit{})
	<-h.done
}

// Signal does nothing, or fails as the config block says.
func (h *handle) Signal(syscall.Signal) error {
	if h.config.SignalError != "" {
		return errors.New(h.config.SignalError)
	}
	return nil
}

// Stats are those of a task that uses nothing.
func (h *handle) Stats(context.Context) (*api.TaskResourceUsage, error) {
	return &api.TaskResourceUsage{
		ResourceUsage: &api.ResourceUsage{
			MemoryStats: &api.MemoryStats{Measured: []string{"RSS"}},
			CpuStats:    &api.CpuStats{Measured: []string{"Percent"}},
		},
		Timestamp: time.Now().UnixNano(),
	}, nil
}

// Exec does what exec_command says.
func (h *handle) Exec(ctx context.Context, command driver.Command) (int, error) {
	s := h.config.ExecCommand
	if s == nil {
		return 0, errors.New("no exec command is configured")
	}
	_, _ = io.WriteString(command.Stdout, s.StdoutString)
	if command.Stderr != nil {
		_, _ = io.WriteString(command.Stderr, s.StderrString)
	}
	if err := wait(ctx, time.Duration(s.RunFor)); err != nil {
		return 0, err
	}
	return s.ExitCode, s.exit().Err
}

// Network is what driver_ip and driver_port_map say.
func (h *handle) Network() *driver.Network { return h.network }

// Package agents runs the agents of Nomad and Consul as processes that outlive
// the program that started them: each has a log and a record of its process, by
// which any later program finds and stops it. What a process of it leaves behind
// is found by the mark that all of them inherit. Packages real and cluster run
// their stacks with it.
package agents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Agent is a program that is to run on its own.
type Agent struct {
	Name    string   // in messages, and of its files
	Dir     string   // holds its log, NAME.log, and the record of its process, NAME.pid
	Command []string // the program and its arguments
	// Within is what to start the program with, and has to become it in the same
	// process, as `ip netns exec NAME` does. Empty for nothing.
	Within      []string
	Environment []string // all of it; see Environment
}

const (
	pollEvery = 20 * time.Millisecond
	killWait  = 10 * time.Second // for the system to end what was killed
)

// LogFile is where the program's output goes; that of the run before is beside it, with ".1" appended.
func (a Agent) LogFile() string { return filepath.Join(a.Dir, a.Name+".log") }

func (a Agent) pidFile() string { return filepath.Join(a.Dir, a.Name+".pid") }

// Start starts the program in a session of its own. It is an error if it runs already.
func (a Agent) Start() error {
	if pid := a.PID(); pid != 0 {
		return fmt.Errorf("start %s: it runs already, as process %d", a.Name, pid)
	}
	if err := os.MkdirAll(a.Dir, 0o755); err != nil {
		return fmt.Errorf("start %s: make its folder: %w", a.Name, err)
	}
	log, err := a.newLog()
	if err != nil {
		return fmt.Errorf("start %s: open its log: %w", a.Name, err)
	}
	defer log.Close()
	line := append(append([]string{}, a.Within...), a.Command...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = a.Environment
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", a.Name, err)
	}
	err = a.record(cmd.Process.Pid)
	if err != nil {
		_ = cmd.Process.Kill() // nobody could find it again
	}
	go func() { _ = cmd.Wait() }() // it must not stay behind as a zombie of this program
	return err
}

func (a Agent) newLog() (*os.File, error) {
	if err := os.Rename(a.LogFile(), a.LogFile()+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(a.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// PID is the process that the program runs as; 0 when it does not run.
func (a Agent) PID() int {
	p, err := a.recorded()
	if err != nil || !p.runs() {
		return 0
	}
	return p.PID
}

// WaitReady returns once the program answers, as ready says. It gives up when
// the program ends or the context does, and tells what the program said last.
func (a Agent) WaitReady(ctx context.Context, ready func(context.Context) error) error {
	const tryFor = 2 * time.Second
	for {
		ended := a.PID() == 0
		try, cancel := context.WithTimeout(ctx, tryFor)
		err := ready(try)
		cancel()
		switch {
		case ended:
			return fmt.Errorf("wait for %s: it has ended; %s", a.Name, a.lastLines())
		case err == nil:
			return nil
		case errors.Is(ctx.Err(), context.Canceled):
			return ctx.Err()
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return fmt.Errorf("wait for %s: it was not ready in time: %w; %s", a.Name, err, a.lastLines())
		}
	}
}

// Stop has the program end by SIGTERM, and by SIGKILL when it takes longer than
// grace. It does nothing when it does not run.
func (a Agent) Stop(ctx context.Context, grace time.Duration) error {
	return a.end(ctx, syscall.SIGTERM, grace)
}

// Kill ends the program at once, as a machine that loses its power does.
func (a Agent) Kill(ctx context.Context) error {
	return a.end(ctx, syscall.SIGKILL, killWait)
}

func (a Agent) end(ctx context.Context, signal syscall.Signal, grace time.Duration) error {
	p, err := a.recorded()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = p.end(ctx, signal, grace)
	}
	if err != nil {
		return fmt.Errorf("stop %s: %w", a.Name, err)
	}
	return os.Remove(a.pidFile())
}

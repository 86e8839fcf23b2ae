package agents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// process is one process, ever: the system gives its number to another one
// after it has ended, but not with the same start.
type process struct {
	PID   int
	Start string // when it started, as the system tells it
}

// record keeps which process the program is, if it has not ended already.
func (a Agent) record(pid int) error {
	start, err := startOf(pid)
	if errors.Is(err, errEnded) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("start %s: find out when process %d started: %w", a.Name, pid, err)
	}
	partial := a.pidFile() + ".new"
	err = os.WriteFile(partial, fmt.Appendf(nil, "%d %s\n", pid, start), 0o644)
	if err == nil {
		err = os.Rename(partial, a.pidFile())
	}
	if err != nil {
		return fmt.Errorf("start %s: record its process: %w", a.Name, err)
	}
	return nil
}

func (a Agent) recorded() (process, error) {
	var p process
	text, err := os.ReadFile(a.pidFile())
	if err != nil {
		return p, err
	}
	if _, err := fmt.Sscanf(string(text), "%d %s", &p.PID, &p.Start); err != nil {
		return p, fmt.Errorf("read %s, which says %q: it has to be a process and its start; find the process, stop it and remove the file: %w",
			a.pidFile(), text, err)
	}
	return p, nil
}

var errEnded = errors.New("it has ended")

// runs tells whether it has not ended.
func (p process) runs() bool {
	start, err := startOf(p.PID)
	return err == nil && start == p.Start
}

// end sends a signal and waits for the end, which it forces after grace.
func (p process) end(ctx context.Context, signal syscall.Signal, grace time.Duration) error {
	if gone, err := p.signal(signal); gone || err != nil {
		return err
	}
	patience, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if p.gone(patience) {
		return nil
	}
	if gone, err := p.signal(syscall.SIGKILL); gone || err != nil {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), killWait)
	defer cancel()
	if !p.gone(last) {
		return fmt.Errorf("process %d is there still, %s after it was killed", p.PID, killWait)
	}
	return nil
}

func (p process) signal(signal syscall.Signal) (gone bool, err error) {
	if !p.runs() {
		return true, nil
	}
	err = syscall.Kill(p.PID, signal)
	if errors.Is(err, syscall.ESRCH) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("send %s to process %d: %w", signal, p.PID, err)
	}
	return false, nil
}

// gone waits for the end, as long as the context lasts.
func (p process) gone(ctx context.Context) bool {
	for p.runs() {
		select {
		case <-ctx.Done():
			return !p.runs()
		case <-time.After(pollEvery):
		}
	}
	return true
}

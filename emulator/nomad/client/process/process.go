// Package process starts programs each in a process group of its own, so that
// none of them outlives its task or the owner. The drivers raw_exec and exec use
// it. Three things keep the promise: a group is killed when its first process
// ends; on Linux the kernel kills that process when the owner dies; and a
// watchdog kills the groups that are left then, anywhere.
package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Command is a program to start.
type Command struct {
	Path           string
	Args           []string // without the program's own name
	Dir            string
	Env            []string
	Stdin          io.Reader // nil is an empty one
	Stdout, Stderr io.Writer // written to until Done
	// Credential is who the program runs as; nil is who the owner is.
	Credential *syscall.Credential
	// Terminal, if set, is the program's terminal instead of Stdin, Stdout and
	// Stderr. It stays the caller's to close.
	Terminal *os.File
	// Confine, if set, puts what the calling thread starts with the attributes
	// under limits, until restore is called.
	Confine func(attr *syscall.SysProcAttr) (restore func() error, err error)
}

// Process is a started program and its process group. Its methods may be called
// from any goroutine.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu   sync.Mutex
	gone bool // its group is dead, and the number may be another's
}

// logDrain bounds the wait for what a killed group has left in its pipes.
const logDrain = 2 * time.Second

// PID is the number of the process, and of its group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended, its group is killed, and all that
// it printed is written.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit is the exit code, or the signal that ended the process, once Done is
// closed.
func (p *Process) Exit() (code int, signal syscall.Signal, err error) {
	state := p.cmd.ProcessState
	if state == nil {
		return -1, 0, errors.New("the process was lost: nobody could wait for it")
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 0, status.Signal(), nil
	}
	return state.ExitCode(), 0, nil
}

// Stop asks the process to end, and kills its group when it has not within the
// timeout. It returns when it has ended.
func (p *Process) Stop(signal syscall.Signal, timeout time.Duration) {
	_ = p.Signal(signal) // it has ended, or will be killed
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return
	case <-timer.C:
	}
	p.Kill()
	<-p.done
}

// Signal sends a signal to the process, not to its group, as Nomad does. For one
// that has ended it is os.ErrProcessDone.
func (p *Process) Signal(signal syscall.Signal) error { return p.cmd.Process.Signal(signal) }

// Kill kills the group, and returns at once.
func (p *Process) Kill() { p.kill(false) }

func (p *Process) kill(last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	}
	p.gone = p.gone || last
}

// wait waits for the process, kills what is left of its group, and drains what
// they have printed.
func (p *Process) wait(w *watchdog, streams []stream, copying *sync.WaitGroup) {
	_ = p.cmd.Wait() // its result is in ProcessState
	p.kill(true)
	w.remove(p.PID())
	for _, s := range streams {
		s.drain()
	}
	copying.Wait()
	close(p.done)
}

// stream carries what a process reads or prints. Both ends are close-on-exec:
// only that process holds the other one.
type stream struct{ ours, theirs *os.File }

// openOutput makes a stream that is read here.
func openOutput() (stream, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return stream{}, fmt.Errorf("open a pipe for output: %w", err)
	}
	return stream{ours: r, theirs: w}, nil
}

// openInput makes a stream that is written to here.
func openInput() (stream, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return stream{}, fmt.Errorf("open a pipe for input: %w", err)
	}
	return stream{ours: w, theirs: r}, nil
}

func (s stream) close() {
	s.ours.Close()
	s.theirs.Close()
}

// copyTo copies what is printed until the last writer has gone.
func (s stream) copyTo(w io.Writer) {
	_, _ = io.Copy(w, s.ours)
	s.ours.Close()
}

// copyFrom copies what is to be read, and ends it.
func (s stream) copyFrom(r io.Reader) {
	_, _ = io.Copy(s.ours, r)
	s.ours.Close()
}

// drain bounds the rest of a copy: a process that has left its group may hold
// the other end for ever.
func (s stream) drain() { _ = s.ours.SetDeadline(time.Now().Add(logDrain)) }

package client

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/hashicorp/go-multierror"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// UnknownAllocationError says that the node has no such allocation.
type UnknownAllocationError struct{ ID string }

func (e *UnknownAllocationError) Error() string { return fmt.Sprintf("Unknown allocation %q", e.ID) }

// UnknownTaskError says that an allocation has no such task, in the words of what
// was asked.
type UnknownTaskError struct{ Task, Message string }

func (e *UnknownTaskError) Error() string { return e.Message }

// What a person is told who has something done to an allocation.
const (
	userRestart        = "User requested task to restart"
	userRestartRunning = "User requested running tasks to restart"
	userRestartAll     = "User requested all tasks to restart"
)

func (c *Client) find(id string) (*allocRunner, error) {
	if a := c.runnerOf(id); a != nil {
		return a, nil
	}
	return nil, &UnknownAllocationError{ID: id}
}

func (c *Client) findTask(id, task string) (*taskRunner, error) {
	a, err := c.find(id)
	if err != nil {
		return nil, err
	}
	if t := a.task(task); t != nil {
		return t, nil
	}
	return nil, &UnknownTaskError{Task: task, Message: fmt.Sprintf("task %q is not part of the allocation", task)}
}

// RestartAllocation stops the processes of a task of an allocation and starts
// them anew, or those of all its running tasks when the name is empty. It does
// not wait for that. One that does not run is an error.
func (c *Client) RestartAllocation(id, task string) error {
	a, err := c.find(id)
	if err != nil {
		return err
	}
	if a.isOver() {
		return errNotToRun
	}
	if task != "" {
		t := a.task(task)
		if t == nil {
			return &UnknownTaskError{Task: task, Message: "Could not find task runner for task: " + task}
		}
		return t.restart(restartRequest{event: restartSignaledEvent(userRestart)})
	}
	for _, t := range a.tasks {
		err := t.restart(restartRequest{event: restartSignaledEvent(userRestartRunning)})
		if err != nil && !errors.Is(err, errTaskNotRunning) {
			return err
		}
	}
	return nil
}

// SignalAllocation sends a signal, by its name, to the process of a task of an
// allocation, or to those of all when the task's name is empty.
func (c *Client) SignalAllocation(id, task, signal string) error {
	a, err := c.find(id)
	if err != nil {
		return err
	}
	number := signalOr(signal, syscall.SIGINT)
	if task != "" {
		t := a.task(task)
		if t == nil {
			return &UnknownTaskError{Task: task, Message: "Task not found"}
		}
		return t.signal(signalingEvent(signal), number)
	}
	var all *multierror.Error
	for _, t := range a.tasks {
		if err := t.signal(signalingEvent(signal), number); err != nil {
			//lint:ignore ST1005 the words of the API
			all = multierror.Append(all, fmt.Errorf("Failed to signal task: %s, err: %w", t.spec().Name, err))
		}
	}
	return all.ErrorOrNil()
}

// Exec runs a command within a task of an allocation and returns its exit code.
// It ends with the context.
func (c *Client) Exec(ctx context.Context, id, task string, command driver.Command) (exitCode int, err error) {
	t, err := c.findTask(id, task)
	if err != nil {
		return 0, err
	}
	handle := t.current()
	switch {
	case handle == nil && t.beforeFirstStart():
		//lint:ignore ST1005 the words of the API
		return 0, fmt.Errorf("task %q not started yet.", task)
	case handle == nil:
		//lint:ignore ST1005 the words of the API
		return 0, fmt.Errorf("task %q is not running.", task)
	case len(command.Args) == 0:
		return 0, errors.New("command is not present")
	}
	return handle.Exec(ctx, command)
}

func (t *taskRunner) beforeFirstStart() bool {
	t.alloc.mu.Lock()
	defer t.alloc.mu.Unlock()
	return t.state.StartedAt.IsZero() && t.state.State != taskDead
}

// isOver reports whether the allocation has ended or is to.
func (a *allocRunner) isOver() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ended || a.stopped
}

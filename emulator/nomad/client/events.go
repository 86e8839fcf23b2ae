package client

import (
	"fmt"
	"strconv"
	"syscall"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// maxTaskEvents is how many events of a task are kept, as Nomad does.
const maxTaskEvents = 10

// Types of events that package api has no name for.
const (
	eventMainDead      = "Main Tasks Dead"
	eventShutdownDelay = "Waiting for shutdown delay"
	eventUnhealthy     = "Alloc Unhealthy"
	eventHookFailed    = "Task hook failed"
	eventNotRestored   = "Failed Restoring Task"
)

// newEvent makes an event with its text and its details, which are name, value, name, value.
func newEvent(kind, text string, details ...string) *api.TaskEvent {
	e := &api.TaskEvent{Type: kind, Time: time.Now().UnixNano(), DisplayMessage: text, Details: map[string]string{}}
	for i := 0; i+1 < len(details); i += 2 {
		e.Details[details[i]] = details[i+1]
	}
	return e
}

// withMessage makes an event that carries its text in its message as well.
func withMessage(kind, text string) *api.TaskEvent {
	e := newEvent(kind, text, "message", text)
	e.Message = text
	return e
}

func receivedEvent() *api.TaskEvent { return newEvent(api.TaskReceived, "Task received by client") }

func notRestoredEvent() *api.TaskEvent {
	return newEvent(eventNotRestored, "failed to restore task; will not run until server is contacted")
}

func setupEvent() *api.TaskEvent { return withMessage(api.TaskSetup, api.TaskBuildingTaskDir) }

func startedEvent() *api.TaskEvent { return newEvent(api.TaskStarted, "Task started by client") }

func killedEvent() *api.TaskEvent { return newEvent(api.TaskKilled, "Task successfully killed") }

// terminatedEvent tells how a process of the task ended. One that a signal
// ended has the exit code that a shell gives it.
func terminatedEvent(exit driver.Exit) *api.TaskEvent {
	code := exit.Code
	if code == 0 && exit.Signal != 0 {
		code = 128 + exit.Signal
	}
	text := fmt.Sprintf("Exit Code: %d", code)
	if exit.Signal != 0 {
		text += fmt.Sprintf(", Signal: %d", exit.Signal)
	}
	details := []string{
		"exit_code", strconv.Itoa(code), "signal", strconv.Itoa(exit.Signal), "oom_killed", strconv.FormatBool(exit.OOMKilled),
	}
	message := ""
	if exit.Err != nil {
		message = exit.Err.Error()
		text += fmt.Sprintf(", Exit Message: %q", message)
		details = append(details, "exit_message", message)
	}
	e := newEvent(api.TaskTerminated, text, details...)
	e.ExitCode, e.Signal, e.Message = code, exit.Signal, message
	return e
}

func restartingEvent(reason string, delay time.Duration) *api.TaskEvent {
	text := fmt.Sprintf("Task restarting in %v", delay)
	if reason != "" && reason != restartWithinPolicy {
		text = reason + " - " + text
	}
	e := newEvent(api.TaskRestarting, text, "restart_reason", reason, "start_delay", strconv.FormatInt(int64(delay), 10))
	e.RestartReason, e.StartDelay = reason, int64(delay)
	return e
}

func notRestartingEvent(reason string) *api.TaskEvent {
	e := newEvent(api.TaskNotRestarting, reason, "restart_reason", reason, "fails_task", "true")
	e.RestartReason, e.FailsTask = reason, true
	return e
}

func driverFailureEvent(err error) *api.TaskEvent {
	e := newEvent(api.TaskDriverFailure, err.Error(), "driver_error", err.Error())
	e.DriverError = err.Error()
	return e
}

// hookFailedEvent tells that something which precedes the start has failed.
func hookFailedEvent(err error) *api.TaskEvent { return withMessage(eventHookFailed, err.Error()) }

func validationEvent(err error) *api.TaskEvent {
	e := newEvent(api.TaskFailedValidation, err.Error(), "validation_error", err.Error())
	e.ValidationError = err.Error()
	return e
}

func downloadFailedEvent(err error) *api.TaskEvent {
	e := newEvent(api.TaskArtifactDownloadFailed, err.Error(), "download_error", err.Error())
	e.DownloadError = err.Error()
	return e
}

func killingEvent(timeout time.Duration) *api.TaskEvent {
	e := newEvent(api.TaskKilling, fmt.Sprintf("Sent interrupt. Waiting %v before force killing", timeout),
		"kill_timeout", timeout.String())
	e.KillTimeout = timeout
	return e
}

func shutdownDelayEvent(delay time.Duration) *api.TaskEvent {
	return newEvent(eventShutdownDelay, fmt.Sprintf("Waiting for shutdown_delay of %v before killing the task.", delay))
}

func siblingFailedEvent(task string) *api.TaskEvent {
	e := newEvent(api.TaskSiblingFailed, fmt.Sprintf("Task's sibling %q failed", task), "failed_sibling", task)
	e.FailedSibling = task
	return e
}

func leaderDeadEvent() *api.TaskEvent {
	return newEvent(api.TaskLeaderDead, "Leader Task in Group dead")
}

func mainDeadEvent() *api.TaskEvent {
	return newEvent(eventMainDead, "Main tasks in the group died")
}

func restartSignaledEvent(reason string) *api.TaskEvent {
	e := newEvent(api.TaskRestartSignal, reason, "restart_reason", reason)
	e.RestartReason = reason
	return e
}

func signalingEvent(name string) *api.TaskEvent {
	return newEvent(api.TaskSignaling, "Task being sent a signal", "signal", name)
}

// renewedEvent tells that a task is restarted, or sent a signal unless it is 0,
// because an identity has a new token.
func renewedEvent(identity string, signal syscall.Signal) *api.TaskEvent {
	if signal == 0 {
		return newEvent(api.TaskRestartSignal, fmt.Sprintf("Identity[%s]: new token acquired", identity))
	}
	e := newEvent(api.TaskSignaling, fmt.Sprintf("Identity[%s]: new Identity token acquired", identity), "task_signal", signal.String())
	e.TaskSignal = signal.String()
	return e
}

// maxKillTimeout bounds kill_timeout, as the client's max_kill_timeout does.
const maxKillTimeout = 30 * time.Second

// killOrder says how a process is ended.
type killOrder struct {
	signal  syscall.Signal
	timeout time.Duration
}

// killOrderOf is how the processes of a task are ended.
func killOrderOf(spec *api.Task) killOrder {
	timeout := 5 * time.Second
	if spec.KillTimeout != nil && *spec.KillTimeout > 0 {
		timeout = min(*spec.KillTimeout, maxKillTimeout)
	}
	return killOrder{signal: signalOr(spec.KillSignal, syscall.SIGINT), timeout: timeout}
}

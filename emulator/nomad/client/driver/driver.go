// Package driver is the vocabulary between a node and what runs its tasks:
// raw_exec and exec (package rawexec), mock_driver (package mock) and docker
// implement Driver, package client calls it. It does nothing by itself.
package driver

import (
	"context"
	"encoding/json"
	"io"
	"syscall"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/allocdir"
)

// Driver starts tasks. One may serve many nodes; its methods may be called from
// any goroutine.
type Driver interface {
	// Name is what jobs name it by.
	Name() string
	// Fingerprint says what the driver is able to do on this machine. It may ask
	// an engine, within the context.
	Fingerprint(ctx context.Context) Fingerprint
	// Capabilities are what the node must know to prepare a task.
	Capabilities() Capabilities
	// Schema describes the config block of a task.
	Schema() hcldec.Spec
	// Start starts a task and returns when it runs. The context is the task's: it
	// ends when the task is to be killed meanwhile. An error is why it does not
	// run, worded as the driver failure that people read; one that may go by
	// itself is a *RecoverableError.
	Start(ctx context.Context, task Task) (Handle, error)
}

// Fingerprint is what a driver is on one machine at one moment.
type Fingerprint struct {
	Detected    bool // there is what the driver needs
	Healthy     bool // and it works
	Description string
	// Attributes are the driver's own, such as driver.docker.version. That of the
	// driver itself, driver.<name>, is the node's to add.
	Attributes map[string]string
}

// Capabilities are what sets a driver apart from others, on any machine.
type Capabilities struct {
	// Isolated tasks see their directory as /alloc, /local and /secrets, and none
	// of the machine's environment.
	Isolated bool
	// Virtual tasks touch neither their directory nor the machine, unless their
	// config block has one of Prints, with which they print.
	Virtual bool
	Prints  []string
}

// Task is a task to start. The driver does not change what it holds.
type Task struct {
	// ID is of this start of this task alone: <allocation>/<task>/<number>.
	ID         string
	Name       string
	Allocation *api.Allocation
	// Config is the config block, interpolated, as JSON after the driver's Schema.
	Config json.RawMessage
	Env    map[string]string
	User   string // empty: the driver's own choice
	// Path is where programs are looked for: folders in the form of PATH.
	Path string
	Dir  allocdir.Task
	// Stdout and Stderr take what the task prints. They do not fail, and are not
	// written to after the handle is done.
	Stdout, Stderr io.Writer
	Resources      *api.AllocatedTaskResources
	Ports          []api.PortMapping // of the allocation
	Mounts         []Mount           // volumes of the host
	// Emit adds an event of the type Driver to the task's, such as that an image is
	// being downloaded.
	Emit func(message string, details map[string]string)
}

// Mount is a folder of the host that a task sees at a path of its own.
type Mount struct {
	Source, Destination string
	ReadOnly            bool
}

// Handle is a started task. Its methods may be called from any goroutine, also
// after the task has ended.
type Handle interface {
	// Done is closed when the task has ended and all that it printed is written.
	Done() <-chan struct{}
	// Exit says how it ended, once Done is closed.
	Exit() Exit
	// Stop sends the signal, waits for the end, and kills the task after the
	// timeout. It returns when the task has ended.
	Stop(signal syscall.Signal, timeout time.Duration)
	// Signal sends a signal. The error is worded for the person who asked.
	Signal(signal syscall.Signal) error
	// Stats measures the task now.
	Stats(ctx context.Context) (*api.TaskResourceUsage, error)
	// Exec runs a command within the task until it ends, or the context does, and
	// returns its exit code.
	Exec(ctx context.Context, command Command) (exitCode int, err error)
	// Network is the task's own, or nil for the machine's.
	Network() *Network
}

// Exit is how a task ended.
type Exit struct {
	Code      int
	Signal    int // that killed it, or 0
	OOMKilled bool
	Err       error // why it is not known, or what went wrong
}

// Successful reports whether the task did what it was to do.
func (e Exit) Successful() bool { return e.Code == 0 && e.Signal == 0 && e.Err == nil }

// Command is a program to run within a task.
type Command struct {
	Args   []string // the program first
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer // unused with TTY
	TTY    bool
	Resize <-chan WindowSize // of the terminal; nil without
}

// WindowSize is that of a terminal, in characters.
type WindowSize struct{ Height, Width int }

// Network is where a task is reached that has an address of its own.
type Network struct {
	IP            string
	PortMap       map[string]int // the ports within, by label
	AutoAdvertise bool           // services use the address unless told otherwise
}

// RecoverableError is a failure to start that may go by itself: the restart
// policy decides about it.
type RecoverableError struct{ Err error }

func (e *RecoverableError) Error() string { return e.Err.Error() }

// Unwrap is what went wrong.
func (e *RecoverableError) Unwrap() error { return e.Err }

package client

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// ErrClosed is returned by what is asked of a node after Close has begun.
var ErrClosed = errors.New("node: closed")

// Options say where a node works and what its tasks are given. Start requires Node, Dir and Server. What they hold is not to be
// changed after.
type Options struct {
	// Node is the node as the topology has it: ID, Name, Datacenter, NodePool, NodeClass, Meta and HTTPAddr. What it does not
	// say of NodeResources and Attributes is found out.
	Node *api.Node
	// Server is what the node asks of the servers of its region, whose name is Region.
	Server Server
	Region string
	// Drivers are those that the node has. They may be shared with other nodes, and are the caller's to close.
	Drivers []driver.Driver
	// Templates and Services are what renders the templates of tasks and registers services; nil is neither.
	Templates hook.NewTemplates
	Services  hook.NewServices
	// Peer finds the node that has, or had, an allocation: nil without. An ephemeral disk that migrates comes from there.
	Peer func(allocationID string) *Client
	// Machine is what is known of this machine; nil finds out.
	Machine *Machine
	// Attributes are what else is found out about the node, when it starts and from time to time; nil is nothing.
	Attributes func(context.Context) map[string]string
	// Settings are those of the client's options block: driver.allowlist, driver.denylist, user.denylist and
	// user.checked_drivers, with the defaults of Nomad.
	Settings map[string]string

	// Dir holds the allocation directories, Dir/alloc/<allocation id>/…, laid out as Nomad does. It is made when something is
	// to be in it; that one node at a time owns it is up to its owner.
	Dir string
	// Path is put first in the PATH of each task: the folders of the programs that jobs run.
	Path []string
	// Logger receives what goes wrong; nil discards it.
	Logger *slog.Logger
	// Output, if set, receives each line that a task prints, after the task's name. The writes of one node are never concurrent.
	Output io.Writer
}

// Package place chooses the node that an instance of a task group is to run
// on, as the servers of a Nomad region do: nodes that cannot run it are
// filtered, the others are scored, and the best of a few wins. The scheduler
// calls it for each evaluation; the region's endpoint of nodes calls it for
// the computed class of a node that registers.
//
// It changes nothing: what it reads is a view of the state, and what it
// answers with is a Placement for the scheduler to make an allocation of.
//
// What is taken of a node is what allocations take that may still run there,
// those that are meant to end included, but for what the plan at hand stops.
// Ports belong to addresses: nodes of one machine that share an address share
// its ports.
package place

import (
	"math/rand/v2"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Options are what a Selector works on. All are needed but Volumes and Pools.
type Options struct {
	View   *state.View                 // it is read unwatched
	Job    *api.Job                    // canonical, as it is in the state
	Config *api.SchedulerConfiguration // of the region

	// Volumes are those of the region; nil when it has none.
	Volumes Volumes

	// PortFree tells whether a port of an address of this machine is free of
	// programs that the region does not know of.
	PortFree func(address string, port int) bool

	Rand *rand.Rand // shuffles the nodes, and chooses dynamic ports

	// Pools are shared by the selectors of a region, which so need not look at
	// all nodes each; nil remembers nothing.
	Pools *Pools
}

// Volumes finds the volumes of a region.
type Volumes interface {
	// HostVolume finds a dynamic host volume by its ID; nil when there is none.
	HostVolume(id string) *api.HostVolume
	// CSIVolume finds a CSI volume with its claims; nil when there is none.
	CSIVolume(namespace, id string) *api.CSIVolume
}

// Request asks for a place for one instance of a task group of the job.
type Request struct {
	Group *api.TaskGroup
	Name  string // of the allocation: "job.group[3]"

	// Penalized are the IDs of nodes that the instance should rather not be
	// on, having failed there.
	Penalized map[string]bool
	// Preferred is the ID of a node to take whenever the instance fits there:
	// that of a sticky disk; empty when there is none.
	Preferred string
	// Node is the ID of the only node to consider, of a system job; empty for
	// all nodes.
	Node string
}

// Placement is where an instance goes and what it gets there.
type Placement struct {
	Node          *state.Node
	Allocated     *api.AllocatedResources
	Cores         map[string][]uint16       // reserved ones, by task; nil when there are none
	Resources     *api.Resources            // all tasks together, as allocations show it
	TaskResources map[string]*api.Resources // by task, as allocations show it
	Preempted     []*state.Allocation       // what has to be evicted for it, usually nothing
}

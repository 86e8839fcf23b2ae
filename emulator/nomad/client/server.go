package client

import (
	"context"
	"time"

	"github.com/hashicorp/nomad/api"
)

// Server is what a node asks of the servers of its region. Its methods may be
// called from any goroutine. What it returns is shared: it is never changed.
type Server interface {
	// RegisterNode adds the node, or says what is new of it. The secret is the
	// node's own, which only it and the servers know.
	RegisterNode(node *api.Node, secret string) error
	// Heartbeat says that the node is there, and returns after how long it has
	// to be said again: a node that is not heard of in that time and a grace
	// period is down.
	Heartbeat(nodeID string) (time.Duration, error)
	// Allocations waits until what the node is to run has changed since the
	// index, or it does not have so many allocations any more, and returns all
	// that it has, with their jobs, and the index to go on from. The error is the
	// context's.
	Allocations(ctx context.Context, nodeID string, after uint64, count int) ([]*api.Allocation, uint64, error)
	// UpdateAllocations says what has become of allocations: ClientStatus,
	// ClientDescription, TaskStates, DeploymentStatus.Healthy and NetworkStatus
	// are read of each, by ID. It returns when the servers have stored it.
	UpdateAllocations(updates []*api.Allocation) error
	// UpdateNodeEvents adds to what is known of the node's past.
	UpdateNodeEvents(nodeID string, events []*api.NodeEvent) error
	// SignIdentity makes the token by which a task, or a service of the
	// allocation, proves what it is. The zero time is one that never expires.
	SignIdentity(allocationID, task string, identity *api.WorkloadIdentity) (token string, expires time.Time, err error)
	// RegisterServices registers instances of services with the provider nomad,
	// or says what is new of them; DeregisterServices removes some by ID.
	RegisterServices(services []*api.ServiceRegistration) error
	DeregisterServices(ids []string) error
	// URL is where the region's HTTP API answers, for templates.
	URL() string
}

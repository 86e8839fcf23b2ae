package nomad

import (
	"errors"
	"net/http"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/client"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func clientRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/client/stats", (*request).clientStats),
		faithful(http.MethodGet, "/v1/client/gc", (*request).clientGC),
		faithful(http.MethodPut, "/v1/client/gc", (*request).clientGC),
		faithful(http.MethodGet, "/v1/client/identity", (*request).nodeIdentity),
		faithful(http.MethodPut, "/v1/client/identity/renew", (*request).renewNodeIdentity),
		faithful(http.MethodGet, "/v1/client/metadata", (*request).nodeMetadata),
		faithful(http.MethodPut, "/v1/client/metadata", (*request).setNodeMetadata),
		faithful(http.MethodGet, "/v1/client/allocation/{id}/stats", (*request).allocationStats),
		faithful(http.MethodGet, "/v1/client/allocation/{id}/checks", (*request).allocationChecks),
		faithful(http.MethodGet, "/v1/client/allocation/{id}/exec", (*request).execAllocation),
		faithful(http.MethodPut, "/v1/client/allocation/{id}/restart", (*request).restartAllocation),
		faithful(http.MethodPut, "/v1/client/allocation/{id}/signal", (*request).signalAllocation),
		faithful(http.MethodGet, "/v1/client/allocation/{id}/gc", (*request).collectAllocation),
		faithful(http.MethodPut, "/v1/client/allocation/{id}/gc", (*request).collectAllocation),
		faithful(http.MethodGet, "/v1/client/allocation/{id}/pause", (*request).pausedAllocation),
		faithful(http.MethodPut, "/v1/client/allocation/{id}/pause", (*request).pauseAllocation),
		absent(http.MethodGet, "/v1/client/allocation/{id}/snapshot", "nodes move an ephemeral disk among themselves"),
		faithful(http.MethodGet, "/v1/client/fs/ls/{id}", (*request).listFiles),
		faithful(http.MethodGet, "/v1/client/fs/stat/{id}", (*request).statFile),
		faithful(http.MethodGet, "/v1/client/fs/cat/{id}", (*request).catFile),
		faithful(http.MethodGet, "/v1/client/fs/readat/{id}", (*request).readFile),
		faithful(http.MethodGet, "/v1/client/fs/stream/{id}", (*request).streamFile),
		faithful(http.MethodGet, "/v1/client/fs/logs/{id}", (*request).streamLogs),
	}
}

// errNoNode is what is answered for a node that is registered and gone.
var errNoNode = fail(http.StatusInternalServerError, "No path to node")

// nodeAsked is the node that the parameter node_id names or, without it, the
// first one of the region.
func (r *request) nodeAsked() (*client.Client, error) {
	id := r.query.Get("node_id")
	if id == "" {
		for _, c := range r.region.nodes.all() {
			if c.Node() != nil {
				return c, nil
			}
		}
		return nil, badRequest("Missing node ID")
	}
	if err := lookupID("node", id); err != nil {
		return nil, err
	}
	if r.region.store.View().Node(id) == nil {
		return nil, notFound("Unknown node %s", id)
	}
	if c := r.region.client(id); c != nil {
		return c, nil
	}
	return nil, errNoNode
}

// allocationAsked is the allocation that the path names and its node, for a
// caller that has one of the capabilities.
func (r *request) allocationAsked(capabilities ...acl.Capability) (*client.Client, *state.Allocation, error) {
	id := r.PathValue("id")
	if err := lookupID("alloc", id); err != nil {
		return nil, nil, err
	}
	a := r.region.store.View().Allocation(id)
	if a == nil {
		return nil, nil, notFound("Unknown allocation %q", id)
	}
	if err := r.needIn(a.Namespace, capabilities...); err != nil {
		return nil, nil, err
	}
	c := r.region.client(a.NodeID)
	if c == nil {
		return nil, nil, errNoNode
	}
	return c, a, nil
}

// said gives a node's error the status that the API answers it with.
func said(err error) error {
	var noAllocation *client.UnknownAllocationError
	var noTask *client.UnknownTaskError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &noAllocation):
		return notFound("%v", err)
	case errors.As(err, &noTask):
		return badRequest("%v", err)
	}
	return fail(http.StatusInternalServerError, "%v", err)
}

func (r *request) clientStats() (any, error) {
	if err := r.need(acl.Read, acl.Node); err != nil {
		return nil, err
	}
	c, err := r.nodeAsked()
	if err != nil {
		return nil, err
	}
	stats, err := c.HostStats(r.Context())
	return stats, said(err)
}

func (r *request) clientGC() (any, error) {
	if err := r.need(acl.Write, acl.Node); err != nil {
		return nil, err
	}
	c, err := r.nodeAsked()
	if err != nil {
		return nil, err
	}
	return nil, said(c.CollectAllGarbage())
}

func (r *request) allocationStats() (any, error) {
	c, a, err := r.allocationAsked(acl.ReadJob)
	if err != nil {
		return nil, err
	}
	stats, err := c.AllocationStats(r.Context(), a.ID, r.query.Get("task"))
	return stats, said(err)
}

func (r *request) allocationChecks() (any, error) {
	c, a, err := r.allocationAsked(acl.ReadJob)
	if err != nil {
		return nil, err
	}
	checks, err := c.AllocationChecks(a.ID)
	return checks, said(err)
}

func (r *request) restartAllocation() (any, error) {
	c, a, err := r.allocationAsked(acl.AllocLifecycle)
	if err != nil {
		return nil, err
	}
	var asked api.AllocationRestartRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if asked.AllTasks && asked.TaskName != "" {
		return nil, badRequest("cannot set both AllTasks and TaskName")
	}
	if asked.AllTasks {
		err = c.RestartAllTasks(a.ID)
	} else {
		err = c.RestartAllocation(a.ID, asked.TaskName)
	}
	if err != nil {
		return nil, said(err)
	}
	return struct{}{}, nil
}

func (r *request) signalAllocation() (any, error) {
	c, a, err := r.allocationAsked(acl.AllocLifecycle)
	if err != nil {
		return nil, err
	}
	var asked api.AllocSignalRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if err := said(c.SignalAllocation(a.ID, asked.Task, asked.Signal)); err != nil {
		return nil, err
	}
	return struct{}{}, nil
}

func (r *request) collectAllocation() (any, error) {
	c, a, err := r.allocationAsked(acl.SubmitJob)
	if err != nil {
		return nil, err
	}
	return nil, said(c.CollectGarbage(a.ID))
}

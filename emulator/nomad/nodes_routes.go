package nomad

import (
	"net/http"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func nodeRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/nodes", (*request).nodes),
		faithful(http.MethodGet, "/v1/node/{id}", (*request).node),
		faithful(http.MethodGet, "/v1/node/{id}/allocations", (*request).nodeAllocations),
		faithful(http.MethodPut, "/v1/node/{id}/drain", (*request).drainNode),
		faithful(http.MethodPut, "/v1/node/{id}/eligibility", (*request).setEligibility),
		faithful(http.MethodPut, "/v1/node/{id}/evaluate", (*request).evaluateNode),
		faithful(http.MethodPut, "/v1/node/{id}/purge", (*request).purgeNode),
	}
}

func (r *request) nodes() (any, error) {
	if err := r.need(acl.Read, acl.Node); err != nil {
		return nil, err
	}
	prefix := r.query.Get("prefix")
	if err := lookupPrefix("node", prefix); err != nil {
		return nil, err
	}
	matches, err := r.filter()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list, err := pageOf(r, view.NodesWithPrefix(prefix),
			func(n *state.Node) position { return position{name: n.ID} },
			func(n *state.Node) (*nodeStub, bool, error) {
				stub := r.nodeStub(n)
				ok, err := matches(stub.NodeListStub)
				return stub, ok, err
			})
		return list, view.Index(state.TableNodes), err
	})
}

// nodeStub is what lists tell of a node.
type nodeStub struct {
	api.NodeListStub
	HostVolumes map[string]*api.HostVolumeInfo
}

func (r *request) nodeStub(n *state.Node) *nodeStub {
	stub := &nodeStub{HostVolumes: n.HostVolumes, NodeListStub: api.NodeListStub{
		Address: addressOf(n), ID: n.ID, Datacenter: n.Datacenter, Name: n.Name, NodeClass: n.NodeClass,
		NodePool: n.NodePool, Version: n.Attributes["nomad.version"], Drain: n.Drain,
		SchedulingEligibility: n.SchedulingEligibility, Status: n.Status, StatusDescription: n.StatusDescription,
		Drivers: n.Drivers, LastDrain: n.LastDrain, CreateIndex: n.CreateIndex, ModifyIndex: n.ModifyIndex,
	}}
	if r.flag("resources") {
		stub.NodeResources, stub.ReservedResources = n.NodeResources, n.ReservedResources
	}
	if r.flag("os") {
		stub.Attributes = map[string]string{"os.name": n.Attributes["os.name"]}
	}
	return stub
}

// addressOf is the IP address that a node is reached on.
func addressOf(n *state.Node) string { return n.Attributes["unique.network.ip-address"] }

// nodeAnswer is what is told of a node, to everybody without its secret.
type nodeAnswer struct {
	api.Node
	SecretID      string
	ComputedClass string
}

func (r *request) node() (any, error) {
	id := r.PathValue("id")
	if !r.isNode(id) {
		if err := r.need(acl.Read, acl.Node); err != nil {
			return nil, err
		}
	}
	if err := lookupID("node", id); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		n := view.Node(id)
		if n == nil {
			return nil, view.Index(state.TableNodes), notFound("node not found")
		}
		return answerOf(n), n.ModifyIndex, nil
	})
}

func answerOf(n *state.Node) *nodeAnswer {
	answer := &nodeAnswer{Node: n.Node, ComputedClass: n.ComputedClass}
	return answer
}

func (r *request) nodeAllocations() (any, error) {
	id := r.PathValue("id")
	if err := r.need(acl.Read, acl.Node); err != nil {
		return nil, err
	}
	may, err := r.may()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list, index := []*api.Allocation{}, uint64(0)
		for a := range view.AllocationsOfNode(id) {
			if may.Namespace(a.Namespace, acl.ReadJob) {
				list = append(list, &a.Allocation)
				index = max(index, a.ModifyIndex)
			}
		}
		return list, index, nil
	})
}

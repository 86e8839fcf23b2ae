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
	return r.block(func(view *state.View) (any, uint64, error) {
		list, err := page(r, view.NodesWithPrefix(r.query.Get("prefix")),
			func(n *state.Node) position { return position{name: n.ID} },
			func(n *state.Node) (*nodeStub, bool) { return r.nodeStub(n), true })
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

// nodeChange is the answer to what changes a node.
type nodeChange struct {
	EvalCreateIndex uint64
	EvalIDs         []string
	Index           uint64
	NodeModifyIndex uint64
}

// changeNode changes the node that the request names. The answer has the
// evaluations that change has made.
func (r *request) changeNode(change func(*state.Tx, *state.Node) (evaluations []string, err error)) (any, error) {
	if err := r.need(acl.Write, acl.Node); err != nil {
		return nil, err
	}
	var answer nodeChange
	err := r.write(func(tx *state.Tx) error {
		node := tx.Node(r.PathValue("id"))
		if node == nil {
			return fail(http.StatusInternalServerError, "node not found")
		}
		evaluations, err := change(tx, node)
		answer = nodeChange{EvalIDs: evaluations, Index: tx.ChangeIndex(), NodeModifyIndex: tx.ChangeIndex()}
		if len(evaluations) > 0 {
			answer.EvalCreateIndex = tx.ChangeIndex()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (r *request) drainNode() (any, error) {
	var asked struct {
		DrainSpec    *api.DrainSpec
		MarkEligible bool
		Meta         map[string]string
	}
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	return r.changeNode(func(tx *state.Tx, node *state.Node) ([]string, error) {
		if asked.DrainSpec == nil {
			return stopDrain(tx, node, asked.MarkEligible, asked.Meta), nil
		}
		startDrain(tx, node, *asked.DrainSpec, asked.Meta)
		return nil, nil
	})
}

// startDrain begins a drain, or gives the one under way another deadline.
func startDrain(tx *state.Tx, node *state.Node, spec api.DrainSpec, meta map[string]string) {
	now := tx.Now()
	tx.UpdateNode(node, func(n *state.Node) {
		strategy := &api.DrainStrategy{DrainSpec: spec, StartedAt: now}
		if spec.Deadline > 0 {
			strategy.ForceDeadline = now.Add(spec.Deadline)
		}
		if node.DrainStrategy != nil {
			strategy.StartedAt = node.DrainStrategy.StartedAt
		}
		n.DrainStrategy, n.SchedulingEligibility = strategy, api.NodeSchedulingIneligible
		n.LastDrain = &api.DrainMetadata{StartedAt: strategy.StartedAt, UpdatedAt: now, Status: api.DrainStatusDraining, Meta: meta}
		n.AddEvents(drainEvent(tx, "Node drain strategy set", nil))
	})
}

// stopDrain ends a drain before its end, and returns the evaluations that
// follow when the node takes allocations again.
func stopDrain(tx *state.Tx, node *state.Node, eligible bool, meta map[string]string) []string {
	tx.UpdateNode(node, func(n *state.Node) {
		n.DrainStrategy = nil
		if eligible {
			n.SchedulingEligibility = api.NodeSchedulingEligible
		}
		if node.DrainStrategy == nil {
			return
		}
		last := api.DrainMetadata{StartedAt: node.DrainStrategy.StartedAt}
		if node.LastDrain != nil {
			last = *node.LastDrain
		}
		last.Status, last.UpdatedAt = api.DrainStatusCanceled, tx.Now()
		if meta != nil {
			last.Meta = meta
		}
		n.LastDrain = &last
		n.AddEvents(drainEvent(tx, "Node drain disabled", nil))
	})
	if !eligible {
		return nil
	}
	return evaluateNode(tx, tx.Node(node.ID))
}

func drainEvent(tx *state.Tx, message string, details map[string]string) *api.NodeEvent {
	return &api.NodeEvent{
		Message: message, Subsystem: api.NodeEventSubsystemDrain, Details: details, Timestamp: tx.Now(), CreateIndex: tx.ChangeIndex(),
	}
}

func (r *request) setEligibility() (any, error) {
	var asked struct{ Eligibility string }
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if asked.Eligibility != api.NodeSchedulingEligible && asked.Eligibility != api.NodeSchedulingIneligible {
		return nil, fail(http.StatusInternalServerError, "invalid scheduling eligibility %q", asked.Eligibility)
	}
	return r.changeNode(func(tx *state.Tx, node *state.Node) ([]string, error) {
		if node.DrainStrategy != nil && asked.Eligibility == api.NodeSchedulingEligible {
			return nil, fail(http.StatusInternalServerError, "can not set node's scheduling eligibility to eligible while it is draining")
		}
		if node.SchedulingEligibility == asked.Eligibility {
			return nil, nil
		}
		message := "Node marked as ineligible for scheduling"
		if asked.Eligibility == api.NodeSchedulingEligible {
			message = "Node marked as eligible for scheduling"
		}
		tx.UpdateNode(node, func(n *state.Node) {
			n.SchedulingEligibility = asked.Eligibility
			n.AddEvents(&api.NodeEvent{
				Message: message, Subsystem: api.NodeEventSubsystemCluster, Timestamp: tx.Now(), CreateIndex: tx.ChangeIndex(),
			})
		})
		if asked.Eligibility != api.NodeSchedulingEligible {
			return nil, nil
		}
		return evaluateNode(tx, tx.Node(node.ID)), nil
	})
}

func (r *request) evaluateNode() (any, error) {
	return r.changeNode(func(tx *state.Tx, node *state.Node) ([]string, error) { return evaluateNode(tx, node), nil })
}

func (r *request) purgeNode() (any, error) {
	return r.changeNode(func(tx *state.Tx, node *state.Node) ([]string, error) {
		tx.DeleteNode(node)
		return evaluateNode(tx, node), nil
	})
}

package nomad

import (
	"net/http"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// nodeChange is the answer to what changes a node.
type nodeChange struct {
	EvalCreateIndex uint64
	EvalIDs         []string
	Index           uint64
	NodeModifyIndex uint64
}

// changeNode changes the node that the request names. The answer has the
// evaluations that change has made.
func (r *request) changeNode(change func(*state.Tx, *state.Node) (evaluations []string, err error)) (answer nodeChange, err error) {
	if err := r.need(acl.Write, acl.Node); err != nil {
		return answer, err
	}
	id := r.PathValue("id")
	if err := lookupID("node", id); err != nil {
		return answer, err
	}
	err = r.write(func(tx *state.Tx) error {
		node := tx.Node(id)
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
	return answer, err
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
		tx.About("NodeEligibility")
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

// nodeUpdate is the answer to what a node is told about, too, when it registers.
type nodeUpdate struct {
	nodeChange
	LeaderRPCAddr         string
	Servers               []nodeServer
	NumNodes              int
	SchedulingEligibility string
	HeartbeatTTL          time.Duration
	Features              uint64
	SignedIdentity        *string
	KnownLeader           bool
	LastContact           time.Duration
	NextToken             string
}

// nodeServer is a server that a node may turn to.
type nodeServer struct {
	Datacenter       string
	RPCAdvertiseAddr string
	RPCMajorVersion  int
	RPCMinorVersion  int
}

func (r *request) evaluateNode() (any, error) {
	update := nodeUpdate{
		LeaderRPCAddr: r.region.rpcAddress(),
		Servers:       []nodeServer{{Datacenter: r.region.options.Datacenter, RPCAdvertiseAddr: r.region.rpcAddress()}},
	}
	var err error
	update.nodeChange, err = r.changeNode(func(tx *state.Tx, node *state.Node) ([]string, error) {
		for range tx.Nodes() {
			update.NumNodes++
		}
		update.SchedulingEligibility = node.SchedulingEligibility
		return evaluateNode(tx, node), nil
	})
	return update, err
}

func (r *request) purgeNode() (any, error) {
	change, err := r.changeNode(func(tx *state.Tx, node *state.Node) ([]string, error) {
		tx.DeleteNode(node)
		return evaluateNode(tx, node), nil
	})
	return nodeUpdate{nodeChange: change}, err
}

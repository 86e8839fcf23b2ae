package consul

import (
	"github.com/drydock/drydock/emulator/consul/filter"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func catalogDatacenters(r *request) (any, error) {
	return r.cached(func() (any, error) {
		names := []string{r.agent.dc.name} // nothing is nearer than where one is
		for _, d := range r.agent.dc.consul.datacenters {
			if d != r.agent.dc {
				names = append(names, d.name)
			}
		}
		return names, nil
	})
}

func catalogNodes(r *request) (any, error) {
	if err := r.noPartitions(); err != nil {
		return nil, err
	}
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	meta := r.metadata()
	return find(r, lookup[*state.Node]{
		rows: func(view *state.View) ([]*state.Node, uint64) {
			return store.Collect[state.Node](view, state.TableNodes, "id"), view.Index(state.TableNodes)
		},
		keep: func(n *state.Node) bool { return hasAll(n.Meta, meta) && sees.node(n.Node) },
		node: func(n *state.Node) string { return n.Node },
	})
}

// nodeAnswer is a node with the instances on it, by their IDs.
type nodeAnswer struct {
	Node     *state.Node
	Services map[string]*instanceAnswer
}

// nodeListAnswer is a node with the instances on it.
type nodeListAnswer struct {
	Node     *state.Node
	Services []*instanceAnswer
}

// catalogNode answers null for a node that is not there.
func catalogNode(r *request) (any, error) {
	return r.nodeWithInstances(func(node *state.Node, instances []*instanceAnswer) any {
		if node == nil {
			return (*nodeAnswer)(nil)
		}
		answer := &nodeAnswer{Node: node, Services: map[string]*instanceAnswer{}}
		for _, instance := range instances {
			answer.Services[instance.ID] = instance
		}
		return answer
	})
}

func catalogNodeServices(r *request) (any, error) {
	return r.nodeWithInstances(func(node *state.Node, instances []*instanceAnswer) any {
		return nodeListAnswer{node, instances}
	})
}

// nodeWithInstances reads the node that the path names. Answer turns it and its
// instances, both nil when it is not there, into the answer.
func (r *request) nodeWithInstances(answer func(*state.Node, []*instanceAnswer) any) (any, error) {
	name, err := r.named("node", "node name")
	if err != nil {
		return nil, err
	}
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	asked, err := filter.New[*instanceAnswer](r.query.Get("filter"))
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		index := view.NodeIndex(name)
		node := view.Node(name)
		if node == nil || !sees.node(node.Node) {
			return answer(nil, nil), index, nil
		}
		instances := []*instanceAnswer{}
		for row := range store.All[state.Service](view.Unwatched(), state.TableServices, "node", name) {
			instance := newInstanceAnswer(row)
			if sees.service(row.Service) && asked.Keeps(&instance) {
				instances = append(instances, &instance)
			}
		}
		return answer(node, instances), index, nil
	})
}

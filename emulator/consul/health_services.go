package consul

import (
	"strconv"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// entry is an instance with its node and the checks on which its health rests.
type entry struct {
	Node    *state.Node
	Service instanceAnswer
	Checks  []*state.Check
}

// newEntry reads what belongs to an instance.
func newEntry(view *state.View, s *state.Service) *entry {
	return &entry{Node: view.Node(s.Node), Service: newInstanceAnswer(s), Checks: view.HealthOf(s)}
}

func healthService(r *request) (any, error) {
	name, err := r.named("service", "service name")
	if err != nil {
		return nil, err
	}
	return r.findEntries(r.query["tag"], func(view *state.View) ([]*state.Service, uint64) {
		return instancesOf(view, name), view.ServiceIndex(name)
	})
}

// healthConnect does not look at tags, as Consul does not.
func healthConnect(r *request) (any, error) {
	name, err := r.named("service", "service name")
	if err != nil {
		return nil, err
	}
	if err := r.needService(name); err != nil {
		return nil, err
	}
	return r.findEntries(nil, func(view *state.View) ([]*state.Service, uint64) {
		return connectInstancesOf(view, name)
	})
}

// healthIngress answers the ingress gateways through which a service is reached.
func healthIngress(r *request) (any, error) {
	name, err := r.named("service", "service name")
	if err != nil {
		return nil, err
	}
	if err := r.needService(name); err != nil {
		return nil, err
	}
	return r.findEntries(r.query["tag"], func(view *state.View) (list []*state.Service, index uint64) {
		for _, gateway := range view.GatewaysOf(api.ServiceKindIngressGateway, name) {
			list = append(list, instancesOf(view, gateway)...)
			index = max(index, view.ServiceIndex(gateway), view.Unwatched().Index(state.TableGatewayServices))
		}
		return list, index
	})
}

// needService is an error unless the caller may read a service.
func (r *request) needService(name string) error {
	return r.needBriefly(acl.Read, acl.Service, name)
}

// findEntries answers a list of instances with their health.
func (r *request) findEntries(tags []string, instances func(*state.View) ([]*state.Service, uint64)) (any, error) {
	passing, err := r.passing()
	if err != nil {
		return nil, err
	}
	if err := r.noPeers(); err != nil {
		return nil, err
	}
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	if err := r.cachedLive(); err != nil {
		return nil, err
	}
	if r.has("cached") || r.has("index") {
		defer func() { r.header.Set("X-Consul-Query-Backend", api.QueryBackendStreaming) }()
	}
	meta, peer := r.metadata(), r.query.Get("peer")
	return find(r, lookup[*entry]{
		rows: func(view *state.View) ([]*entry, uint64) {
			if peer != "" {
				return nil, 0
			}
			list, index := instances(view)
			rows := make([]*entry, 0, len(list))
			for _, instance := range list {
				if hasTags(instance.Tags, tags) && sees.instance(instance) {
					rows = append(rows, newEntry(view.Unwatched(), instance))
				}
			}
			return rows, index
		},
		keep: func(e *entry) bool { return hasAll(e.Node.Meta, meta) && (!passing || e.passes()) },
		node: func(e *entry) string { return e.Node.Node },
	})
}

// passing reads the parameter of that name, which without a value is true.
func (r *request) passing() (bool, error) {
	text := r.query.Get("passing")
	if text == "" {
		return r.has("passing"), nil
	}
	passing, err := strconv.ParseBool(text)
	if err != nil {
		return false, badRequest("Invalid value for ?passing")
	}
	return passing, nil
}

// noPeers refuses what needs other clusters.
func (r *request) noPeers() error {
	if r.query.Get("sg") != "" || r.query.Get("sameness-group") != "" {
		return errText("sameness groups are not supported in consul CE")
	}
	return nil
}

// passes tells whether all checks of an instance and its node pass.
func (e *entry) passes() bool {
	for _, check := range e.Checks {
		if check.Status != api.HealthPassing {
			return false
		}
	}
	return true
}

package consul

import (
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/filter"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// catalogServices answers the names of all services with the tags that any of
// their instances has.
func catalogServices(r *request) (any, error) {
	if err := r.communityOnly(); err != nil {
		return nil, err
	}
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	expression := r.query.Get("filter")
	asked, err := filter.New[*placedAnswer](expression)
	if err != nil {
		return nil, err
	}
	if err := r.cachedLive(); err != nil {
		return nil, err
	}
	meta := r.metadata()
	return r.block(func(view *state.View) (any, uint64, error) {
		index := view.Index(state.TableServices)
		names := map[string][]string{}
		keep := func(s *state.Service) bool { return true }
		if len(meta) > 0 || expression != "" {
			index = max(index, view.Index(state.TableNodes))
			keep = func(s *state.Service) bool {
				node := view.Unwatched().Node(s.Node)
				return hasAll(node.Meta, meta) && asked.Keeps(newPlacedAnswer(node, s))
			}
		}
		for row := range store.All[state.Service](view.Unwatched(), state.TableServices, "id") {
			if keep(row) && sees.instance(row) {
				names[row.Service] = withTags(names[row.Service], row.Tags)
			}
		}
		return names, index, nil
	})
}

// withTags adds those tags that are not in the list, which is never nil.
func withTags(list, tags []string) []string {
	if list == nil {
		list = []string{}
	}
	for _, tag := range tags {
		if !slices.Contains(list, tag) {
			list = append(list, tag)
		}
	}
	return list
}

func catalogService(r *request) (any, error) {
	name, err := r.named("service", "service name")
	if err != nil {
		return nil, err
	}
	return r.catalogInstances(r.query["tag"], func(view *state.View) ([]*state.Service, uint64) {
		return instancesOf(view, name), view.ServiceIndex(name)
	})
}

// catalogConnect does not look at tags, as Consul does not.
func catalogConnect(r *request) (any, error) {
	name, err := r.named("service", "service name")
	if err != nil {
		return nil, err
	}
	return r.catalogInstances(nil, func(view *state.View) ([]*state.Service, uint64) {
		return connectInstancesOf(view, name)
	})
}

// catalogInstances answers a list of instances with their nodes.
func (r *request) catalogInstances(tags []string, instances func(*state.View) ([]*state.Service, uint64)) (any, error) {
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	if err := r.cachedLive(); err != nil {
		return nil, err
	}
	meta := r.metadata()
	return find(r, lookup[*placedAnswer]{
		rows: func(view *state.View) ([]*placedAnswer, uint64) {
			list, index := instances(view)
			rows := make([]*placedAnswer, 0, len(list))
			for _, instance := range list {
				if hasTags(instance.Tags, tags) && sees.instance(instance) {
					rows = append(rows, newPlacedAnswer(view.Unwatched().Node(instance.Node), instance))
				}
			}
			return rows, index
		},
		keep: func(p *placedAnswer) bool { return hasAll(p.NodeMeta, meta) },
		node: func(p *placedAnswer) string { return p.Node },
	})
}

// instancesOf are the instances of a service. They are read unwatched: whoever
// waits for a change reads ServiceIndex too.
func instancesOf(view *state.View, service string) []*state.Service {
	return store.Collect[state.Service](view.Unwatched(), state.TableServices, "service", service)
}

// connectInstancesOf are the instances through which a service is reached with
// Connect: its proxies, native ones, and the terminating gateways that it is behind.
func connectInstancesOf(view *state.View, service string) ([]*state.Service, uint64) {
	index := view.ConnectIndex(service)
	list := store.Collect[state.Service](view.Unwatched(), state.TableServices, "connect", service)
	for _, gateway := range view.GatewaysOf(api.ServiceKindTerminatingGateway, service) {
		list = append(list, instancesOf(view, gateway)...)
		index = max(index, view.ServiceIndex(gateway), view.Unwatched().Index(state.TableGatewayServices))
	}
	return list, index
}

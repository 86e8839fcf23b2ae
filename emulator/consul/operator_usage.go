package consul

import (
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// usageAnswer is what there is, by datacenter.
type usageAnswer struct {
	Usage                 map[string]datacenterUsage
	Index                 uint64
	LastContact           int
	KnownLeader           bool
	ConsistencyLevel      string
	NotModified           bool
	Backend               int
	ResultsFilteredByACLs bool
}

type datacenterUsage struct {
	Services                 int
	ServiceInstances         int
	ConnectServiceInstances  map[string]int // by kind
	BillableServiceInstances int            // that are no part of the mesh or of Consul itself
	Nodes                    int
}

// connectNative is the kind that instances are counted as which speak Connect themselves.
const connectNative = "connect-native"

// usage answers how much there is in the datacenter, or with ?global in all.
func usage(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Operator, ""); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		index := max(view.Index(state.TableNodes, state.TableServices), 1)
		answer := usageAnswer{
			Usage:            map[string]datacenterUsage{r.dc.name: usageOf(view)},
			Index:            index,
			KnownLeader:      true,
			ConsistencyLevel: "leader",
		}
		if r.has("stale") {
			answer.ConsistencyLevel = "stale"
		}
		if r.has("global") {
			for _, d := range r.dc.consul.datacenters {
				answer.Usage[d.name] = usageOf(d.store.View())
			}
		}
		return answer, index, nil
	})
}

func usageOf(view *state.View) datacenterUsage {
	used := datacenterUsage{ConnectServiceInstances: map[string]int{
		string(api.ServiceKindAPIGateway):         0,
		string(api.ServiceKindConnectProxy):       0,
		string(api.ServiceKindIngressGateway):     0,
		string(api.ServiceKindMeshGateway):        0,
		string(api.ServiceKindTerminatingGateway): 0,
		connectNative: 0,
	}}
	names := map[string]bool{}
	for service := range store.All[state.Service](view, state.TableServices, "id") {
		used.ServiceInstances++
		names[service.Service] = true
		if service.Kind != api.ServiceKindTypical {
			used.ConnectServiceInstances[string(service.Kind)]++
		} else if service.Service != "consul" {
			used.BillableServiceInstances++
		}
		if service.Connect != nil && service.Connect.Native {
			used.ConnectServiceInstances[connectNative]++
		}
	}
	used.Services = len(names)
	for range store.All[state.Node](view, state.TableNodes, "id") {
		used.Nodes++
	}
	return used
}

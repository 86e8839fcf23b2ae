package consul

import (
	"os"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/metrics"
	"github.com/drydock/drydock/emulator/store"
)

// gauges are what can be counted at any time, by name.
func (a *agent) gauges() []metrics.Gauge {
	host, err := os.Hostname()
	if err != nil {
		host = a.options.Node
	}
	version := metrics.Gauge{Name: "version", Value: 1, Labels: map[string]string{"version": Version, "pre_release": ""}}
	list := append(slices.Concat(metrics.Process(), a.stateGauges()), version)
	for i := range list {
		list[i].Name = "consul." + host + "." + list[i].Name
	}
	return list
}

// stateGauges are about the agent's datacenter.
func (a *agent) stateGauges() []metrics.Gauge {
	view := a.dc.store.View()
	here := map[string]string{"datacenter": a.dc.name}
	names := map[string]bool{}
	kinds := map[string]int{}
	instances := 0
	for s := range store.All[state.Service](view, state.TableServices, "id") {
		instances++
		names[s.Service] = true
		kinds[string(s.Kind)]++
		if s.Connect != nil && s.Connect.Native {
			kinds["connect-native"]++
		}
	}
	servers, clients := 0, 0
	for _, m := range a.dc.members.List() {
		if m.Tags["role"] == "consul" {
			servers++
		} else {
			clients++
		}
	}
	list := []metrics.Gauge{
		{Name: "members.servers", Value: float32(servers), Labels: here},
		{Name: "members.clients", Value: float32(clients), Labels: here},
		{Name: "state.nodes", Value: count[state.Node](view, state.TableNodes), Labels: here},
		{Name: "state.services", Value: float32(len(names)), Labels: here},
		{Name: "state.service_instances", Value: float32(instances), Labels: here},
		{Name: "state.kv_entries", Value: count[state.Key](view, state.TableKeys), Labels: here},
		{Name: "state.billable_service_instances", Value: float32(kinds[""] - servers), Labels: here},
	}
	if a.isServer() {
		list = append(list, metrics.Gauge{Name: "server.isLeader", Value: 1}, metrics.Gauge{Name: "autopilot.healthy", Value: 1}, metrics.Gauge{Name: "autopilot.failure_tolerance"})
	}
	for _, kind := range []string{
		string(api.ServiceKindAPIGateway), "connect-native", string(api.ServiceKindConnectProxy), string(api.ServiceKindIngressGateway),
		string(api.ServiceKindMeshGateway), string(api.ServiceKindTerminatingGateway),
	} {
		labels := map[string]string{"datacenter": a.dc.name, "kind": kind}
		list = append(list, metrics.Gauge{Name: "state.connect_instances", Value: float32(kinds[kind]), Labels: labels})
	}
	return list
}

func count[T any](view *state.View, table string) float32 {
	n := 0
	for range store.All[T](view, table, "id") {
		n++
	}
	return float32(n)
}

package consul

import (
	"cmp"
	"maps"
	"os"
	"runtime"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
)

// gauges are what can be counted at any time, by name.
func (a *agent) gauges() []gauge {
	host, err := os.Hostname()
	if err != nil {
		host = a.options.Node
	}
	list := slices.Concat(processGauges(), a.stateGauges())
	for i := range list {
		list[i].Name = "consul." + host + "." + list[i].Name
		if list[i].Labels == nil {
			list[i].Labels = map[string]string{}
		}
	}
	slices.SortStableFunc(list, func(a, b gauge) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// processGauges are about the process that the agent is in.
func processGauges() []gauge {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return []gauge{
		{Name: "runtime.alloc_bytes", Value: float32(memory.Alloc)},
		{Name: "runtime.free_count", Value: float32(memory.Frees)},
		{Name: "runtime.heap_objects", Value: float32(memory.HeapObjects)},
		{Name: "runtime.malloc_count", Value: float32(memory.Mallocs)},
		{Name: "runtime.num_goroutines", Value: float32(runtime.NumGoroutine())},
		{Name: "runtime.sys_bytes", Value: float32(memory.Sys)},
		{Name: "runtime.total_gc_pause_ns", Value: float32(memory.PauseTotalNs)},
		{Name: "runtime.total_gc_runs", Value: float32(memory.NumGC)},
		{Name: "version", Value: 1, Labels: map[string]string{"version": Version, "pre_release": ""}},
	}
}

// stateGauges are about the agent's datacenter.
func (a *agent) stateGauges() []gauge {
	view := a.dc.store.View()
	here := map[string]string{"datacenter": a.dc.name}
	names := map[string]bool{}
	kinds := map[string]int{}
	instances := 0
	for s := range state.All[state.Service](view, state.TableServices, "id") {
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
	list := []gauge{
		{Name: "members.servers", Value: float32(servers), Labels: here},
		{Name: "members.clients", Value: float32(clients), Labels: here},
		{Name: "state.nodes", Value: count[state.Node](view, state.TableNodes), Labels: here},
		{Name: "state.services", Value: float32(len(names)), Labels: here},
		{Name: "state.service_instances", Value: float32(instances), Labels: here},
		{Name: "state.kv_entries", Value: count[state.Key](view, state.TableKeys), Labels: here},
		{Name: "state.billable_service_instances", Value: float32(kinds[""] - servers), Labels: here},
	}
	if a.isServer() {
		list = append(list, gauge{Name: "server.isLeader", Value: 1}, gauge{Name: "autopilot.healthy", Value: 1}, gauge{Name: "autopilot.failure_tolerance"})
	}
	for _, kind := range []string{
		string(api.ServiceKindAPIGateway), "connect-native", string(api.ServiceKindConnectProxy), string(api.ServiceKindIngressGateway),
		string(api.ServiceKindMeshGateway), string(api.ServiceKindTerminatingGateway),
	} {
		labels := map[string]string{"datacenter": a.dc.name, "kind": kind}
		list = append(list, gauge{Name: "state.connect_instances", Value: float32(kinds[kind]), Labels: labels})
	}
	return list
}

func count[T any](view *state.View, table string) float32 {
	n := 0
	for range state.All[T](view, table, "id") {
		n++
	}
	return float32(n)
}

func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }

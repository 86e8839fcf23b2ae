package nomad

import (
	"fmt"
	"runtime"
	"strconv"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

// agentSelf is what an agent tells of itself: its settings as far as they have
// a meaning here, under the names that the real one has for them.
type agentSelf struct {
	Config map[string]any               `json:"config"`
	Member agentMember                  `json:"member"`
	Stats  map[string]map[string]string `json:"stats"`
}

func (r *request) agentSelf() (any, error) {
	if err := r.need(acl.Read, acl.Agent); err != nil {
		return nil, err
	}
	return agentSelf{Config: r.asked.configuration(), Member: r.asked.member(), Stats: r.asked.statistics()}, nil
}

func (r *region) configuration() map[string]any {
	o := r.nomad.options
	client := map[string]any{
		"Enabled": len(r.options.Nodes) > 0, "MaxDynamicPort": 32000, "MinDynamicPort": 20000, "MaxKillTimeout": "30s",
		"NomadServiceDiscovery": true,
	}
	if len(r.options.Nodes) > 0 {
		node := r.options.Nodes[0]
		client["NodeClass"], client["NodePool"], client["Meta"], client["Options"] = node.Class, node.Pool, node.Meta, node.Options
	}
	consul := []map[string]any{}
	if o.Consul != "" {
		consul = append(consul, map[string]any{"Name": "default", "Addr": o.Consul, "AutoAdvertise": false})
	}
	return map[string]any{
		"ACL":            map[string]any{"Enabled": o.ACL},
		"AdvertiseAddrs": map[string]any{"HTTP": r.listener.Address(), "RPC": r.rpcAddress(), "Serf": r.options.Serf},
		"BindAddr":       r.options.HTTP, "Client": client, "Consuls": consul, "DataDir": r.dir, "Datacenter": r.options.Datacenter,
		"DevMode": r.nomad.temporary, "DisableUpdateCheck": true, "EnableDebug": o.Debug, "NodeName": r.options.Server,
		"Ports":     map[string]any{"RPC": r.options.RPCPort, "Serf": r.options.SerfPort},
		"Region":    r.options.Name,
		"Server":    map[string]any{"Enabled": true, "BootstrapExpect": 1, "JobTrackedVersions": 6, "EventBufferSize": 100},
		"TLSConfig": map[string]any{"EnableHTTP": r.options.TLS != nil, "EnableRPC": false},
		"Telemetry": map[string]any{"PrometheusMetrics": r.options.Prometheus, "CollectionInterval": "1s"},
		"UI":        map[string]any{"Enabled": false, "ShowCLIHints": false},
		"Version":   map[string]any{"Version": Version, "VersionMetadata": "", "VersionPrerelease": "", "Revision": ""},
	}
}

// statistics are what `nomad agent-info` shows.
func (r *region) statistics() map[string]map[string]string {
	index := strconv.FormatUint(r.store.View().LastIndex(), 10)
	statistics := map[string]map[string]string{
		"nomad": {
			"server": "true", "leader": "true", "leader_addr": r.rpcAddress(), "bootstrap": "true",
			"known_regions": strconv.Itoa(len(r.nomad.regionNames())),
		},
		"raft": {
			"state": "Leader", "term": "2", "num_peers": "0", "last_log_index": index, "commit_index": index, "applied_index": index,
			"last_contact": "0", "protocol_version": "3", "latest_configuration_index": "1",
			"latest_configuration": fmt.Sprintf("[{Suffrage:Voter ID:%s Address:%s}]", r.id, r.rpcAddress()),
		},
		"serf": {"members": strconv.Itoa(len(r.nomad.members.List())), "encrypted": "false", "failed": "0", "left": "0"},
		"runtime": {
			"arch": runtime.GOARCH, "version": runtime.Version(), "max_procs": strconv.Itoa(runtime.GOMAXPROCS(0)),
			"goroutines": strconv.Itoa(runtime.NumGoroutine()), "cpu_count": strconv.Itoa(runtime.NumCPU()), "kernel.name": runtime.GOOS,
		},
	}
	if client := r.clientStatistics(); client != nil {
		statistics["client"] = client
	}
	return statistics
}

// clientStatistics are those of the agent's node, the first of the region; nil
// without one.
func (r *region) clientStatistics() map[string]string {
	nodes := r.nodes.all()
	if len(nodes) == 0 || nodes[0].Node() == nil {
		return nil
	}
	id, allocations := nodes[0].Node().ID, 0
	for a := range r.store.View().AllocationsOfNode(id) {
		if !a.ClientTerminal() {
			allocations++
		}
	}
	return map[string]string{
		"node_id": id, "known_servers": r.rpcAddress(), "num_allocations": strconv.Itoa(allocations),
		"heartbeat_ttl": heartbeatEvery.String(),
	}
}

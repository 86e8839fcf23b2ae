package consul

import (
	"net/http"
	"strconv"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/serf/coordinate"

	"github.com/drydock/drydock/emulator/consul/acl"
)

// selfAnswer is what an agent tells about itself.
type selfAnswer struct {
	Config      selfConfig
	DebugConfig map[string]any
	Coord       *coordinate.Coordinate
	Member      api.AgentMember
	Stats       map[string]map[string]string
	Meta        map[string]string
}

type selfConfig struct {
	Datacenter        string
	PrimaryDatacenter string
	NodeName          string
	NodeID            string
	Revision          string
	Server            bool
	Version           string
	BuildDate         string
	BindAddr          string
}

func agentSelf(r *request) (any, error) {
	a := r.agent
	if err := r.need(acl.Read, acl.Agent, a.options.Node); err != nil {
		return nil, err
	}
	return selfAnswer{
		Config: selfConfig{
			Datacenter: a.dc.name, PrimaryDatacenter: a.dc.consul.primary().name, NodeName: a.options.Node, NodeID: a.options.ID,
			Server: a.isServer(), Version: Version, BuildDate: BuildDate, BindAddr: a.options.Address,
		},
		DebugConfig: a.debugConfig(),
		Coord:       coordinate.NewCoordinate(coordinate.DefaultConfig()),
		Member:      a.memberLAN(),
		Stats:       a.stats(),
		Meta:        a.member().Node.Meta,
	}, nil
}

// debugConfig is those of the agent's settings that mean something here.
func (a *agent) debugConfig() map[string]any {
	lan, wan := a.memberLAN(), a.memberWAN()
	at := func(m api.AgentMember) string { return "tcp://" + m.Addr + ":" + strconv.Itoa(int(m.Port)) }
	addresses := []string{}
	for _, l := range a.listeners {
		addresses = append(addresses, l.URL())
	}
	return map[string]any{
		"ACLsEnabled":              a.dc.consul.options.ACL.Enabled,
		"AdvertiseAddrLAN":         a.options.Address,
		"AdvertiseAddrWAN":         a.options.Address,
		"BindAddr":                 a.options.Address,
		"BuildDate":                "1970-01-01 00:00:01 +0000 UTC",
		"ConnectEnabled":           !a.dc.consul.options.WithoutConnect,
		"ConnectSidecarMaxPort":    a.options.SidecarPorts.Max,
		"ConnectSidecarMinPort":    a.options.SidecarPorts.Min,
		"DataDir":                  a.dc.consul.options.Dir,
		"Datacenter":               a.dc.name,
		"EnableDebug":              a.options.Debug,
		"EnableLocalScriptChecks":  a.options.LocalScriptChecks,
		"EnableRemoteScriptChecks": a.options.ScriptChecks,
		"HTTPAddrs":                addresses,
		"NodeID":                   a.options.ID,
		"NodeMeta":                 a.options.Meta,
		"NodeName":                 a.options.Node,
		"PrimaryDatacenter":        a.dc.consul.primary().name,
		"RPCAdvertiseAddr":         "tcp://" + a.serverAddress(),
		"SerfAdvertiseAddrLAN":     at(lan),
		"SerfAdvertiseAddrWAN":     at(wan),
		"SerfBindAddrLAN":          at(lan),
		"SerfBindAddrWAN":          at(wan),
		"SerfPortLAN":              lan.Port,
		"SerfPortWAN":              wan.Port,
		"ServerMode":               a.isServer(),
		"ServerPort":               a.options.ServerPort,
		"TaggedAddresses":          a.taggedAddresses(),
		"Version":                  Version,
	}
}

func agentVersion(*request) (any, error) {
	return struct{ SHA, BuildDate, HumanVersion, FIPS string }{BuildDate: BuildDate, HumanVersion: Version}, nil
}

func agentReload(r *request) (any, error) {
	if err := r.need(acl.Write, acl.Agent, r.agent.options.Node); err != nil {
		return nil, err
	}
	return nil, r.agent.reload()
}

func selfRoutes() []route {
	return []route{
		partial(http.MethodGet, "/v1/agent/self", agentSelf, "DebugConfig has the settings that mean something here, and Stats what there is to count"),
		faithful(http.MethodGet, "/v1/agent/version", agentVersion),
		faithful(http.MethodGet, "/v1/agent/host", agentHost),
		partial(http.MethodPut, "/v1/agent/reload", agentReload, "services and checks are read again, no other settings"),
		faithful(http.MethodPut, "/v1/agent/maintenance", agentMaintenance),
		faithful(http.MethodGet, "/v1/agent/monitor", agentMonitor),
		partial(http.MethodGet, "/v1/agent/metrics", agentMetrics, "what there is to measure: no Raft, gossip or RPC"),
		partial(http.MethodGet, "/v1/agent/metrics/stream", streamMetrics, "what there is to measure: no Raft, gossip or RPC"),
		partial(http.MethodPut, "/v1/agent/token/{token...}", setAgentToken, "the default token is used, the others are kept"),
	}
}

package consul

import (
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
)

// instanceAnswer is an instance as the answers about a node and about health
// have it. The tags bexpr take away what filters cannot select.
type instanceAnswer struct {
	Kind              api.ServiceKind `json:",omitempty"`
	ID                string
	Service           string
	Tags              []string
	Address           string
	TaggedAddresses   map[string]api.ServiceAddress `json:",omitempty"`
	Meta              map[string]string
	Port              int              `json:",omitempty"`
	Ports             api.ServicePorts `json:",omitempty" bexpr:"-"`
	SocketPath        string           `json:",omitempty"`
	Weights           api.AgentWeights
	EnableTagOverride bool
	Locality          *state.Locality `json:",omitempty" bexpr:"-"`
	Proxy             proxyAnswer
	Connect           api.AgentServiceConnect
	PeerName          string
	CreateIndex       uint64 `bexpr:"-"`
	ModifyIndex       uint64 `bexpr:"-"`
}

func newInstanceAnswer(s *state.Service) instanceAnswer {
	return instanceAnswer{
		Kind: s.Kind, ID: s.ID, Service: s.Service, Tags: s.Tags, Address: s.Address, TaggedAddresses: s.TaggedAddresses,
		Meta: s.Meta, Port: s.Port, Ports: s.Ports, SocketPath: s.SocketPath, Weights: s.Weights,
		EnableTagOverride: s.EnableTagOverride, Locality: s.Locality, Proxy: newProxyAnswer(s.Proxy),
		Connect: connectAnswer(s.Connect), CreateIndex: s.CreateIndex, ModifyIndex: s.ModifyIndex,
	}
}

// placedAnswer is an instance with its node, as the catalog lists those of a service.
type placedAnswer struct {
	ID                       string
	Node                     string
	Address                  string
	Datacenter               string
	TaggedAddresses          map[string]string
	NodeMeta                 map[string]string
	ServiceKind              api.ServiceKind
	ServiceID                string
	ServiceName              string
	ServiceTags              []string
	ServiceAddress           string
	ServiceTaggedAddresses   map[string]api.ServiceAddress `json:",omitempty"`
	ServiceWeights           api.AgentWeights
	ServiceMeta              map[string]string
	ServicePort              int
	ServicePorts             api.ServicePorts `bexpr:"-"`
	ServiceSocketPath        string
	ServiceEnableTagOverride bool
	ServiceProxy             proxyAnswer
	ServiceConnect           api.AgentServiceConnect
	ServiceLocality          *state.Locality `bexpr:"-"`
	PeerName                 string          `json:",omitempty"`
	CreateIndex              uint64          `bexpr:"-"`
	ModifyIndex              uint64          `bexpr:"-"`
}

func newPlacedAnswer(n *state.Node, s *state.Service) *placedAnswer {
	meta := s.Meta
	if meta == nil {
		meta = map[string]string{}
	}
	return &placedAnswer{
		ID: n.ID, Node: n.Node, Address: n.Address, Datacenter: n.Datacenter, TaggedAddresses: n.TaggedAddresses, NodeMeta: n.Meta,
		ServiceKind: s.Kind, ServiceID: s.ID, ServiceName: s.Service, ServiceTags: s.Tags, ServiceAddress: s.Address,
		ServiceTaggedAddresses: s.TaggedAddresses, ServiceWeights: s.Weights, ServiceMeta: meta, ServicePort: s.Port,
		ServicePorts: s.Ports, ServiceSocketPath: s.SocketPath, ServiceEnableTagOverride: s.EnableTagOverride,
		ServiceProxy: newProxyAnswer(s.Proxy), ServiceConnect: connectAnswer(s.Connect), ServiceLocality: s.Locality,
		CreateIndex: s.CreateIndex, ModifyIndex: s.ModifyIndex,
	}
}

// proxyAnswer is the configuration of a proxy. The one of package api leaves
// out what Consul does not.
type proxyAnswer struct {
	TransparentProxy       *api.TransparentProxyConfig `json:",omitempty"`
	AccessLogs             *api.AccessLogsConfig       `json:",omitempty"`
	EnvoyExtensions        []api.EnvoyExtension        `json:",omitempty"`
	DestinationServiceName string                      `json:",omitempty"`
	DestinationServiceID   string                      `json:",omitempty"`
	LocalServiceAddress    string                      `json:",omitempty"`
	LocalServicePort       int                         `json:",omitempty"`
	LocalServiceSocketPath string                      `json:",omitempty"`
	Mode                   api.ProxyMode
	Config                 map[string]any   `json:",omitempty" bexpr:"-"`
	Upstreams              []upstreamAnswer `json:",omitempty"`
	MeshGateway            api.MeshGatewayConfig
	Expose                 api.ExposeConfig
}

// upstreamAnswer is an api.Upstream that is written as Consul does.
type upstreamAnswer struct {
	DestinationType      api.UpstreamDestType
	DestinationPartition string `json:",omitempty"`
	DestinationNamespace string `json:",omitempty"`
	DestinationPeer      string `json:",omitempty"`
	DestinationName      string
	Datacenter           string
	LocalBindAddress     string         `json:",omitempty"`
	LocalBindPort        int            `json:",omitempty"`
	LocalBindSocketPath  string         `json:",omitempty"`
	LocalBindSocketMode  string         `json:",omitempty"`
	Config               map[string]any `json:",omitempty" bexpr:"-"`
	MeshGateway          api.MeshGatewayConfig
	CentrallyConfigured  bool `json:",omitempty" bexpr:"-"`
}

func newProxyAnswer(p *api.AgentServiceConnectProxyConfig) proxyAnswer {
	if p == nil {
		return proxyAnswer{}
	}
	answer := proxyAnswer{
		TransparentProxy: p.TransparentProxy, AccessLogs: p.AccessLogs, EnvoyExtensions: p.EnvoyExtensions,
		DestinationServiceName: p.DestinationServiceName, DestinationServiceID: p.DestinationServiceID,
		LocalServiceAddress: p.LocalServiceAddress, LocalServicePort: p.LocalServicePort,
		LocalServiceSocketPath: p.LocalServiceSocketPath, Mode: p.Mode, Config: p.Config,
		MeshGateway: p.MeshGateway, Expose: p.Expose,
	}
	for _, upstream := range p.Upstreams {
		answer.Upstreams = append(answer.Upstreams, upstreamAnswer(upstream))
	}
	return answer
}

func connectAnswer(c *api.AgentServiceConnect) api.AgentServiceConnect {
	if c == nil {
		return api.AgentServiceConnect{}
	}
	return *c
}

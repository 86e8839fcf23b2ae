package consul

import (
	"net/http"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func discoveryChainRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/discovery-chain/{service...}", getChain),
		partial(http.MethodPost, "/v1/discovery-chain/{service...}", getChain, "CustomizationHash is a hash of our own"),
	}
}

// chain is a compiled discovery chain, as the API shows it: how requests to a
// service find their way to instances, worked out of the router, splitter and
// resolver entries of all services on the way.
type chain struct {
	ServiceName       string
	Namespace         string
	Partition         string
	Datacenter        string
	CustomizationHash string `json:",omitempty"`
	Default           bool   `json:",omitempty"` // nothing but a default resolver
	Protocol          string
	ServiceMeta       map[string]string `json:",omitempty"`
	StartNode         string
	Nodes             map[string]*chainNode
	Targets           map[string]*chainTarget
	AutoVirtualIPs    []string
	ManualVirtualIPs  []string
}

type chainNode struct {
	Type         string
	Name         string
	Routes       []*chainRoute     `json:",omitempty"`
	Splits       []*chainSplit     `json:",omitempty"`
	Resolver     *chainResolver    `json:",omitempty"`
	LoadBalancer *api.LoadBalancer `json:",omitempty"`
}

type chainRoute struct {
	Definition *api.ServiceRoute
	NextNode   string
}

type chainSplit struct {
	Definition *api.ServiceSplit
	Weight     float32
	NextNode   string
}

type chainResolver struct {
	ConnectTimeout state.Duration
	RequestTimeout time.Duration `json:",omitempty"` // Consul tells this one in nanoseconds
	Default        bool          `json:",omitempty"`
	Target         string
	Failover       *chainFailover `json:",omitempty"`
}

type chainFailover struct {
	Targets []string
	Policy  *api.ServiceResolverFailoverPolicy `json:",omitempty"`
}

type chainTarget struct {
	ConnectTimeout   state.Duration
	ID               string
	Service          string
	ServiceSubset    string `json:",omitempty"`
	Namespace        string
	Partition        string
	Datacenter       string `json:",omitempty"`
	Peer             string `json:",omitempty"`
	MeshGateway      api.MeshGatewayConfig
	Subset           api.ServiceResolverSubset
	TransparentProxy struct{}
	External         bool   `json:",omitempty"`
	SNI              string `json:",omitempty"`
	Name             string `json:",omitempty"`
}

// chainOverrides are what a proxy may have its own way.
type chainOverrides struct {
	OverrideMeshGateway    api.MeshGatewayConfig
	OverrideProtocol       string
	OverrideConnectTimeout state.Duration
}

func getChain(r *request) (any, error) {
	service := r.PathValue("service")
	if service == "" {
		return nil, badRequest("Missing chain name")
	}
	var overrides chainOverrides
	if err := r.decode(&overrides); err != nil {
		return nil, err
	}
	if err := r.need(acl.Read, acl.Service, service); err != nil {
		return nil, err
	}
	datacenter := r.query.Get("compile-dc")
	if datacenter == "" {
		datacenter = r.dc.name
	}
	r.header.Set("X-Consul-Effective-Consistency", "leader")
	return r.block(func(view *state.View) (any, uint64, error) {
		compiled, err := r.dc.compile(view, service, datacenter, overrides)
		if err != nil {
			return nil, 0, err
		}
		return map[string]*chain{"Chain": compiled}, view.Index(state.TableConfigEntries), nil
	})
}

package consul

import (
	"net"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
)

// instance is what the agent keeps of the definition of a service.
func (a *agent) instance(d ServiceDefinition) state.LocalService {
	s := state.Service{
		Node:              a.options.Node,
		Kind:              d.Kind,
		ID:                d.ID,
		Service:           d.Name,
		Tags:              d.Tags,
		Address:           d.Address,
		TaggedAddresses:   d.TaggedAddresses,
		Meta:              d.Meta,
		Port:              d.Port,
		Ports:             d.Ports,
		SocketPath:        d.SocketPath,
		Weights:           api.AgentWeights{Passing: 1, Warning: 1},
		EnableTagOverride: d.EnableTagOverride,
		Proxy:             proxyOf(d),
		Locality:          d.Locality,
	}
	if s.ID == "" {
		s.ID = s.Service
	}
	if s.Tags == nil {
		s.Tags = []string{}
	}
	if d.Weights != nil {
		s.Weights = *d.Weights
	}
	if d.Connect != nil && d.Connect.Native {
		s.Connect = &api.AgentServiceConnect{Native: true}
	}
	return state.LocalService{Service: s}
}

// proxyOf is the proxy of a definition: only proxies and gateways need one.
func proxyOf(d ServiceDefinition) *api.AgentServiceConnectProxyConfig {
	if d.Proxy == nil {
		if d.Kind == api.ServiceKindTypical {
			return nil
		}
		return &api.AgentServiceConnectProxyConfig{}
	}
	proxy := *d.Proxy
	proxy.TransparentProxy, proxy.AccessLogs = unlessZero(proxy.TransparentProxy), unlessZero(proxy.AccessLogs)
	proxy.Upstreams = append([]api.Upstream(nil), d.Proxy.Upstreams...)
	for i := range proxy.Upstreams {
		if proxy.Upstreams[i].DestinationType == "" {
			proxy.Upstreams[i].DestinationType = api.UpstreamDestTypeService
		}
	}
	return &proxy
}

// unlessZero is nil for a group of settings in which nothing is set.
func unlessZero[T comparable](group *T) *T {
	var zero T
	if group == nil || *group == zero {
		return nil
	}
	return group
}

// completeInstance adds what follows from the instance's ports and address.
func completeInstance(s *state.LocalService) {
	for _, port := range s.Ports {
		if port.Default {
			s.Port = port.Port
		}
	}
	ip := net.ParseIP(s.Address)
	if ip == nil {
		return
	}
	version := "_ipv6"
	if ip.To4() != nil {
		version = "_ipv4"
	}
	addresses := map[string]api.ServiceAddress{}
	for name, address := range s.TaggedAddresses {
		addresses[name] = address
	}
	for _, network := range []string{"lan", "wan"} {
		if _, ok := addresses[network+version]; !ok {
			addresses[network+version] = api.ServiceAddress{Address: s.Address, Port: s.Port}
		}
	}
	s.TaggedAddresses = addresses
}

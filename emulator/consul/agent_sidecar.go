package consul

import (
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// sidecarID is the ID of the sidecar that is registered with an instance.
func sidecarID(instance string) string { return instance + "-sidecar-proxy" }

// sidecarOf is the definition of the proxy that is registered with a service,
// with what it takes over from it. The ID is the service's instance.
func sidecarOf(d ServiceDefinition, instance string) ServiceDefinition {
	s := *d.Connect.SidecarService
	s.ID = sidecarID(instance)
	if s.Name == "" {
		s.Name = d.Name + "-sidecar-proxy"
	}
	if s.Kind == "" {
		s.Kind = api.ServiceKindConnectProxy
	}
	if s.Tags == nil {
		s.Tags = d.Tags
	}
	if s.Meta == nil {
		s.Meta = d.Meta
	}
	if s.Address == "" {
		s.Address = d.Address
	}
	if s.Locality == nil {
		s.Locality = d.Locality
	}
	s.EnableTagOverride = s.EnableTagOverride || d.EnableTagOverride
	s.Proxy = sidecarProxy(s.Proxy, d, instance)
	return s
}

func sidecarProxy(given *api.AgentServiceConnectProxyConfig, d ServiceDefinition, instance string) *api.AgentServiceConnectProxyConfig {
	var p api.AgentServiceConnectProxyConfig
	if given != nil {
		p = *given
	}
	if p.DestinationServiceName == "" {
		p.DestinationServiceName = d.Name
	}
	if p.DestinationServiceID == "" {
		p.DestinationServiceID = instance
	}
	if d.SocketPath != "" && p.LocalServicePort == 0 && p.LocalServiceAddress == "" {
		if p.LocalServiceSocketPath == "" {
			p.LocalServiceSocketPath = d.SocketPath
		}
		return &p
	}
	if p.LocalServiceAddress == "" {
		p.LocalServiceAddress = "127.0.0.1"
	}
	if p.LocalServicePort == 0 {
		p.LocalServicePort = d.Port
	}
	return &p
}

// sidecarPort is a port for a sidecar that has none: the one that it had, or
// the first that no instance of the agent has.
func (a *agent) sidecarPort(view *state.View, id string) (int, error) {
	if old := view.LocalService(a.options.Node, id); old != nil && old.Port != 0 {
		return old.Port, nil
	}
	taken := map[int]bool{}
	for s := range store.All[state.LocalService](view, state.TableLocalServices, "node", a.options.Node) {
		taken[s.Port] = true
	}
	ports := a.options.SidecarPorts
	for port := ports.Min; port <= ports.Max; port++ {
		if !taken[port] {
			return port, nil
		}
	}
	return 0, fail(http.StatusBadRequest, "Failed Validation: no free ports available in range [%d, %d]", ports.Min, ports.Max)
}

// sidecarChecks are those of a sidecar for which none are given.
func sidecarChecks(s *state.LocalService, instance string) []CheckDefinition {
	const interval = state.Duration(10 * time.Second)
	host := s.Address
	if host == "" {
		host = "127.0.0.1"
	}
	return []CheckDefinition{
		{Name: "Connect Sidecar Listening", TCP: fmt.Sprintf("%s:%d", host, s.Port), Interval: interval},
		{Name: "Connect Sidecar Aliasing " + instance, AliasService: instance},
	}
}

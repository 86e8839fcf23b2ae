package consul

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
)

// problems are all that is wrong with something that was sent. Its text is in
// the form in which Consul lists several errors.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

func (p problems) Error() string {
	what := "errors"
	if len(p) == 1 {
		what = "error"
	}
	return fmt.Sprintf("%d %s occurred:\n\t* %s\n\n", len(p), what, strings.Join(p, "\n\t* "))
}

func (p problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// validateService tells what is wrong with an instance that somebody wants to register.
func validateService(s *state.Service) error {
	var wrong problems
	proxy := s.Proxy
	if proxy == nil {
		proxy = &api.AgentServiceConnectProxyConfig{}
	}
	native := s.Connect != nil && s.Connect.Native
	switch s.Kind {
	case api.ServiceKindConnectProxy:
		wrong.proxy(s, proxy, native)
	case api.ServiceKindMeshGateway, api.ServiceKindTerminatingGateway, api.ServiceKindIngressGateway, api.ServiceKindAPIGateway:
		wrong.gateway(s, proxy)
	case api.ServiceKindTypical:
		if native && s.Port == 0 && s.SocketPath == "" {
			wrong.add("Port or SocketPath must be set for a Connect native service.")
		}
	}
	wrong.ports(s)
	return wrong.orNil()
}

func (p *problems) proxy(s *state.Service, proxy *api.AgentServiceConnectProxyConfig, native bool) {
	if s.Port == 0 && s.SocketPath == "" {
		p.add("Port or SocketPath must be set for a %s", s.Kind)
	}
	switch proxy.DestinationServiceName {
	case "":
		p.add("Proxy.DestinationServiceName must be non-empty for Connect proxy services")
	case wildcard:
		p.add("Proxy.DestinationServiceName must not be a wildcard for Connect proxy services")
	}
	if native {
		p.add("A Proxy cannot also be Connect Native, only typical services")
	}
	p.upstreams(proxy.Upstreams)
	p.exposed(proxy.Expose.Paths)
}

func (p *problems) gateway(s *state.Service, proxy *api.AgentServiceConnectProxyConfig) {
	needsPort := s.Kind == api.ServiceKindMeshGateway || s.Kind == api.ServiceKindTerminatingGateway
	if needsPort && s.Port == 0 {
		p.add("Port must be non-zero for a %s", s.Kind)
	}
	for _, unfit := range []struct {
		name string
		set  bool
	}{
		{"DestinationServiceName", proxy.DestinationServiceName != ""},
		{"DestinationServiceID", proxy.DestinationServiceID != ""},
		{"LocalServiceAddress", proxy.LocalServiceAddress != ""},
		{"LocalServicePort", proxy.LocalServicePort != 0},
		{"LocalServiceSocketPath", proxy.LocalServiceSocketPath != ""},
		{"Upstreams", len(proxy.Upstreams) != 0},
	} {
		if unfit.set {
			p.add("The Proxy.%s configuration is invalid for a %s", unfit.name, s.Kind)
		}
	}
}

func (p *problems) ports(s *state.Service) {
	if len(s.Ports) == 0 {
		return
	}
	if s.Port != 0 {
		p.add("Cannot set both Port and Ports")
		return
	}
	if err := s.Ports.Validate(); err != nil {
		text := err.Error()
		p.add("%s", strings.ToUpper(text[:1])+text[1:])
	}
}

func (p *problems) exposed(paths []api.ExposePath) {
	for _, path := range paths {
		if path.ListenerPort <= 0 || path.ListenerPort > 65535 {
			p.add("expose.paths: invalid listener port: %d", path.ListenerPort)
		}
		if path.Protocol != "" && path.Protocol != "http" && path.Protocol != "http2" {
			p.add("protocol '%s' not supported for path: %s, must be in: [http http2]", path.Protocol, path.Path)
		}
	}
}

// Limits of the metadata of a node or service.
const (
	maxMetaPairs = 64
	maxMetaKey   = 128
	maxMetaValue = 512
)

var metaKey = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// checkServiceMeta tells what is wrong with an instance's metadata.
func checkServiceMeta(s *state.Service) error {
	if err := checkMeta(s.Meta); err != nil {
		return errText("Invalid Service Meta for node %s and serviceID %s: %v", s.Node, s.ID, err)
	}
	return nil
}

func checkMeta(meta map[string]string) error {
	if len(meta) > maxMetaPairs {
		return errText("Node metadata cannot contain more than %d key/value pairs", maxMetaPairs)
	}
	for key, value := range meta {
		if wrong := wrongPair(key, value); wrong != "" {
			return errText("Couldn't load metadata pair ('%s', '%s'): %s", key, value, wrong)
		}
	}
	return nil
}

func wrongPair(key, value string) string {
	switch {
	case key == "":
		return "Key cannot be blank"
	case !metaKey.MatchString(key):
		return "Key contains invalid characters"
	case len(key) > maxMetaKey:
		return fmt.Sprintf("Key is too long (limit: %d characters)", maxMetaKey)
	case strings.HasPrefix(key, "consul-"):
		return "Key prefix 'consul-' is reserved for internal use"
	case len(value) > maxMetaValue:
		return fmt.Sprintf("Value is too long (limit: %d characters)", maxMetaValue)
	default:
		return ""
	}
}

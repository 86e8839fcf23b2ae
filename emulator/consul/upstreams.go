package consul

import (
	"fmt"

	"github.com/hashicorp/consul/api"
)

// upstreams notes what is wrong with a proxy's upstreams.
func (p *problems) upstreams(list []api.Upstream) {
	listeners, targets := map[string]bool{}, map[string]bool{}
	for i := range list {
		u := &list[i]
		if wrong := wrongUpstream(u); wrong != "" {
			p.add("%s", wrong)
			continue
		}
		if at := listenerOf(u); at != "" {
			if listeners[at] {
				p.add("upstreams cannot contain duplicates by local bind address and port or unix path; %q is specified twice", at)
			}
			listeners[at] = true
		}
		target := fmt.Sprintf("type=%q, name=%q, partition=%q, namespace=%q, peer=%q, datacenter=%q",
			u.DestinationType, u.DestinationName, u.DestinationPartition, u.DestinationNamespace, u.DestinationPeer, u.Datacenter)
		if targets[target] {
			p.add("upstreams cannot contain duplicates of [%s]", target)
		}
		targets[target] = true
	}
}

func wrongUpstream(u *api.Upstream) string {
	switch {
	case u.DestinationType != "" && u.DestinationType != api.UpstreamDestTypeService && u.DestinationType != api.UpstreamDestTypePreparedQuery:
		return fmt.Sprintf("unknown upstream destination type: %q", u.DestinationType)
	case u.DestinationName == "":
		return "upstream destination name cannot be empty"
	case u.DestinationName == wildcard:
		return "upstream destination name cannot be a wildcard"
	case u.DestinationPartition != "" && u.DestinationPartition != "default":
		return "upstreams must target peers in the same partition as the service"
	case u.DestinationPeer != "" && u.Datacenter != "":
		return "upstream cannot specify both destination peer and datacenter"
	case u.LocalBindPort != 0 && u.LocalBindSocketPath != "":
		return "only one of upstream local bind port or local socket path can be defined and nonzero"
	case u.LocalBindPort == 0 && u.LocalBindSocketPath == "" && !u.CentrallyConfigured:
		return "upstream local bind port or local socket path must be defined and nonzero"
	default:
		return ""
	}
}

// listenerOf is where the proxy listens for an upstream's clients; empty when nowhere.
func listenerOf(u *api.Upstream) string {
	if u.LocalBindSocketPath != "" {
		return u.LocalBindSocketPath
	}
	if u.LocalBindPort == 0 {
		return ""
	}
	address := u.LocalBindAddress
	if address == "" {
		address = "127.0.0.1"
	}
	return fmt.Sprintf("%s:%d", address, u.LocalBindPort)
}

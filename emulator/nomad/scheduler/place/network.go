package place

import (
	"fmt"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// networkOffer is what a node gives for the networks of a group and its tasks.
type networkOffer struct {
	group  []*api.NetworkResource
	byTask map[string][]*api.NetworkResource
	ports  []api.PortMapping
}

// networker finds the ports of one offer.
type networker struct {
	*Selector
	at      *addresses
	evicted map[string]bool // IDs of allocations whose ports are free
	offer   networkOffer
}

// offerNetworks finds ports for the networks of the group and of its tasks,
// were some allocations evicted.
func (s *Selector) offerNetworks(node *state.Node, g *group, evicted map[string]bool) (networkOffer, *lack) {
	if !g.networks {
		return networkOffer{}, nil
	}
	n := networker{Selector: s, at: s.addressesOf(node), evicted: evicted}
	n.offer.byTask = map[string][]*api.NetworkResource{}
	for _, asked := range g.Networks {
		given, short := n.network(asked)
		if short != nil {
			return networkOffer{}, short
		}
		n.offer.group = append(n.offer.group, given)
	}
	for _, task := range g.Tasks {
		for _, asked := range task.Resources.Networks {
			given, short := n.network(asked)
			if short != nil {
				return networkOffer{}, short
			}
			given.Device = n.at.device
			n.offer.byTask[task.Name] = append(n.offer.byTask[task.Name], given)
		}
	}
	return n.offer, nil
}

func (s *Selector) addressesOf(node *state.Node) *addresses {
	known := s.addresses[node.ID]
	if known == nil {
		known = newAddresses(node)
		s.addresses[node.ID] = known
	}
	return known
}

// network is a network as the node gives it, with all ports.
func (n *networker) network(asked *api.NetworkResource) (*api.NetworkResource, *lack) {
	given := *asked
	given.MBits, given.ReservedPorts, given.DynamicPorts = nil, nil, nil
	if own := n.at.byAlias[defaultHostNetwork]; len(own) > 0 {
		given.IP = own[0]
	}
	for _, p := range asked.ReservedPorts {
		if short := n.static(&p); short != nil {
			return nil, short
		}
		given.ReservedPorts = append(given.ReservedPorts, p)
	}
	for _, p := range asked.DynamicPorts {
		if short := n.dynamic(&p); short != nil {
			return nil, short
		}
		given.DynamicPorts = append(given.DynamicPorts, p)
	}
	return &given, nil
}

// aliasAddresses are the addresses that a port may be on.
func (n *networker) aliasAddresses(p *api.Port) ([]string, *lack) {
	if p.HostNetwork == "" {
		p.HostNetwork = defaultHostNetwork
	}
	all := n.at.byAlias[p.HostNetwork]
	if len(all) == 0 {
		return nil, &lack{dimension: fmt.Sprintf(networkDimension+"no addresses available for %q network", p.HostNetwork)}
	}
	return all, nil
}

// static takes a port of the number that is asked for, on the first address that has it.
func (n *networker) static(p *api.Port) *lack {
	all, short := n.aliasAddresses(p)
	if short != nil {
		return short
	}
	collision := &lack{dimension: fmt.Sprintf(networkDimension+"reserved port collision %s=%d", p.Label, p.Value)}
	for _, address := range all {
		free, holders := n.free(address, p)
		if free {
			n.take(p, address)
			return nil
		}
		if collision.holders == nil { // one address is enough
			collision.holders = holders
		}
	}
	return collision
}

// free tells whether a static port is free, and which allocations have it.
func (n *networker) free(address string, p *api.Port) (free bool, holders []*state.Allocation) {
	if p.IgnoreCollision {
		return true, nil
	}
	if n.at.isReserved(p.HostNetwork, p.Value) || n.offered(address, p.Value) {
		return false, nil
	}
	all, leaving := n.holders(port{address, p.Value})
	for _, a := range all {
		if n.evicted[a.ID] {
			leaving = true
		} else {
			holders = append(holders, a)
		}
	}
	if len(holders) > 0 {
		return false, holders
	}
	// A port that somebody leaves is still bound until the node has stopped him.
	return leaving || n.portFree(address, p.Value), nil
}

// dynamic takes any port of the first address, beginning anywhere.
func (n *networker) dynamic(p *api.Port) *lack {
	all, short := n.aliasAddresses(p)
	if short != nil {
		return short
	}
	address, size := all[0], n.at.dynamic.to-n.at.dynamic.from+1
	if size < 1 {
		return &lack{dimension: networkDimension + "dynamic port selection failed"}
	}
	first := n.random.IntN(size)
	for i := range size {
		number := n.at.dynamic.from + (first+i)%size
		if n.at.isReserved(p.HostNetwork, number) || n.offered(address, number) {
			continue
		}
		if holders, leaving := n.holders(port{address, number}); len(holders) > 0 || leaving || !n.portFree(address, number) {
			continue
		}
		p.Value = number
		n.take(p, address)
		return nil
	}
	return &lack{dimension: networkDimension + "dynamic port selection failed"}
}

func (n *networker) offered(address string, number int) bool {
	return slices.ContainsFunc(n.offer.ports, func(p api.PortMapping) bool { return p.HostIP == address && p.Value == number })
}

func (n *networker) take(p *api.Port, address string) {
	if p.To == -1 {
		p.To = p.Value
	}
	n.offer.ports = append(n.offer.ports, api.PortMapping{Label: p.Label, Value: p.Value, To: p.To, HostIP: address})
}

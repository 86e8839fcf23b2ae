package consul

import (
	"net/netip"

	"github.com/drydock/drydock/emulator/consul/dns"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// serverService is the service that the servers are in the catalog.
const serverService = "consul"

func dnsNode(n *state.Node) dns.Node {
	return dns.Node{Name: n.Node, Datacenter: n.Datacenter, Address: n.Address, Meta: n.Meta}
}

// Node implements dns.Source.
func (s dnsSource) Node(datacenter, name string) (dns.Node, error) {
	l, err := s.look(datacenter)
	if err != nil {
		return dns.Node{}, err
	}
	node := l.view.Node(name)
	if node == nil || !l.sees.node(node.Node) {
		return dns.Node{}, dns.ErrNotFound
	}
	return dnsNode(node), nil
}

// Virtual implements dns.Source. Who may not see the service is told so, as
// Consul has it.
func (s dnsSource) Virtual(service string) (netip.Addr, error) {
	l, err := s.look("")
	if err != nil {
		return netip.Addr{}, err
	}
	if !l.sees.service(service) {
		return netip.Addr{}, errDenied
	}
	ip := store.First[state.VirtualIP](l.view, state.TableVirtualIPs, "id", service)
	if ip == nil {
		return netip.Addr{}, dns.ErrNotFound
	}
	return netip.ParseAddr(ip.Address())
}

// Reverse implements dns.Source.
func (s dnsSource) Reverse(address netip.Addr) (dns.Owner, bool) {
	l, err := s.look("")
	if err != nil {
		return dns.Owner{}, false
	}
	for node := range store.All[state.Node](l.view, state.TableNodes, "id") {
		if is(address, node.Address) && l.sees.node(node.Node) {
			return dns.Owner{Node: node.Node, Datacenter: l.dc.name}, true
		}
	}
	for instance := range store.All[state.Service](l.view, state.TableServices, "id") {
		if is(address, instance.Address) && l.sees.instance(instance) {
			return dns.Owner{Service: instance.Service, Datacenter: l.dc.name}, true
		}
	}
	return dns.Owner{}, false
}

// is tells whether a text is the address.
func is(address netip.Addr, text string) bool {
	parsed, err := netip.ParseAddr(text)
	return err == nil && parsed.Unmap() == address
}

// Servers implements dns.Source.
func (s dnsSource) Servers() []dns.Node {
	l, err := s.look("")
	if err != nil {
		return nil
	}
	var servers []dns.Node
	for _, instance := range instancesOf(l.view, serverService) {
		if l.sees.instance(instance) {
			servers = append(servers, dnsNode(l.view.Node(instance.Node)))
		}
	}
	return servers
}

package place

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// defaultHostNetwork is the host network of ports that name none.
const defaultHostNetwork = "default"

// The range of dynamic ports of nodes that do not say theirs.
const (
	minDynamicPort = 20000
	maxDynamicPort = 32000
)

// addresses are those of a node, by host network, with what is reserved of them.
type addresses struct {
	device   string // of the network that has the first address
	byAlias  map[string][]string
	reserved []portRange            // of all addresses
	ofAlias  map[string][]portRange // of those of a host network
	dynamic  portRange
}

// portRange has both of its ends.
type portRange struct{ from, to int }

func newAddresses(node *state.Node) *addresses {
	a := &addresses{byAlias: map[string][]string{}, ofAlias: map[string][]portRange{}, dynamic: portRange{minDynamicPort, maxDynamicPort}}
	if r := node.NodeResources; r != nil {
		a.addNetworks(r.Networks)
		if r.MaxDynamicPort > 0 {
			a.dynamic = portRange{max(r.MinDynamicPort, 1), r.MaxDynamicPort}
		}
	}
	if node.ReservedResources != nil {
		a.reserved = parsePorts(node.ReservedResources.Networks.ReservedHostPorts)
	}
	for name, network := range node.HostNetworks {
		if network == nil {
			continue
		}
		a.byAlias[name] = a.within(network.CIDR)
		a.ofAlias[name] = parsePorts(network.ReservedPorts)
	}
	return a
}

func (a *addresses) addNetworks(networks []*api.NetworkResource) {
	for _, network := range networks {
		if network.IP == "" || network.Mode != "" && network.Mode != "host" {
			continue
		}
		if a.device == "" {
			a.device = network.Device
		}
		a.byAlias[defaultHostNetwork] = append(a.byAlias[defaultHostNetwork], network.IP)
	}
}

// within are the addresses of a host network: those of the node that its CIDR
// has, else the one that the CIDR is written with.
func (a *addresses) within(cidr string) (all []string) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil
	}
	for _, address := range a.byAlias[defaultHostNetwork] {
		if ip, err := netip.ParseAddr(address); err == nil && prefix.Contains(ip) {
			all = append(all, address)
		}
	}
	if all == nil {
		all = []string{prefix.Addr().String()}
	}
	return all
}

// isReserved tells whether the node keeps a port of a host network for itself.
func (a *addresses) isReserved(alias string, number int) bool {
	within := func(r portRange) bool { return r.from <= number && number <= r.to }
	return slices.ContainsFunc(a.reserved, within) || slices.ContainsFunc(a.ofAlias[alias], within)
}

// parsePorts reads "22,8000-8010"; what is not like that is left out.
func parsePorts(list string) (all []portRange) {
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		if err != nil {
			continue
		}
		to, err := strconv.Atoi(last)
		if err != nil {
			continue
		}
		all = append(all, portRange{from, to})
	}
	return all
}

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
)

// networks are what the zones' network may be: those kept for documentation,
// which nobody routes to, then private ones that are seldom used.
var networks = []netip.Prefix{
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("10.213.113.0/24"),
	netip.MustParsePrefix("172.29.113.0/24"),
	netip.MustParsePrefix("192.168.213.0/24"),
}

// The hosts in the network: the machine itself, and the first of the zones.
const (
	machineHost   = 1
	firstZoneHost = 11
)

// chooseNetwork is the first network that no route of the machine leads to,
// the default route excepted.
func chooseNetwork(routes []netip.Prefix) (netip.Prefix, error) {
	for _, network := range networks {
		if !overlapsAny(network, routes) {
			return network, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("choose a network for the zones: this machine has routes into all of %v: take one of them away", networks)
}

func overlapsAny(network netip.Prefix, routes []netip.Prefix) bool {
	for _, route := range routes {
		if route.Bits() > 0 && network.Overlaps(route) {
			return true
		}
	}
	return false
}

// addressIn is the address of a host in the network.
func addressIn(network netip.Prefix, host byte) netip.Addr {
	address := network.Masked().Addr().As4()
	address[3] += host
	return netip.AddrFrom4(address)
}

// machineRoutes are the machine's routes, of all tables.
func machineRoutes(ctx context.Context) ([]netip.Prefix, error) {
	listed, err := output(ctx, "ip", "-json", "-4", "route", "show", "table", "all")
	if err != nil {
		return nil, err
	}
	return parseRoutes(listed)
}

func parseRoutes(listed []byte) ([]netip.Prefix, error) {
	var rows []struct {
		Dst string `json:"dst"`
	}
	if err := json.Unmarshal(listed, &rows); err != nil {
		return nil, fmt.Errorf("read the machine's routes: %w", err)
	}
	var routes []netip.Prefix
	for _, row := range rows {
		if row.Dst == "default" {
			continue
		}
		dst := row.Dst
		if !strings.Contains(dst, "/") {
			dst += "/32"
		}
		route, err := netip.ParsePrefix(dst)
		if err != nil {
			return nil, fmt.Errorf("read the machine's routes: %w", err)
		}
		routes = append(routes, route)
	}
	return routes, nil
}

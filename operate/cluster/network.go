package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The links within the namespaces.
const (
	bridge   = "zones" // in the switchboard
	hostPort = "host"  // in the switchboard, the other end of the machine's link
	zoneLink = "eth0"  // in a zone; the other end has the zone's name
)

// giveUp has connections of a zone's processes end when the other side has not
// been heard of for 3 s. A zone that fails does not say so, and by itself Linux
// would try for a quarter of an hour.
const giveUp = "echo 3 >/proc/sys/net/ipv4/tcp_retries2"

// makeNetwork makes the namespaces and what is between them. No zone has a
// route out of the network, and the machine forwards nothing.
func (s site) makeNetwork(ctx context.Context, network netip.Prefix) error {
	board := s.switchboard()
	commands := []string{
		"netns add " + board,
		"-n " + board + " link add " + bridge + " type bridge mcast_snooping 0",
		"-n " + board + " link set dev " + bridge + " up",
		"link add " + s.link() + " type veth peer name " + hostPort + " netns " + board,
		"-n " + board + " link set dev " + hostPort + " master " + bridge + " up",
		"link set dev " + s.link() + " addrgenmode none up",
		fmt.Sprintf("addr add %s/%d dev %s", addressIn(network, machineHost), network.Bits(), s.link()),
	}
	for i, zone := range zoneNames {
		in := s.namespace(zone)
		commands = append(commands,
			"netns add "+in,
			"-n "+in+" link set dev lo up",
			"-n "+in+" link add "+zoneLink+" type veth peer name "+zone+" netns "+board,
			"-n "+board+" link set dev "+zone+" master "+bridge+" up",
			"-n "+in+" link set dev "+zoneLink+" addrgenmode none up",
			fmt.Sprintf("-n %s addr add %s/%d dev %s", in, addressIn(network, firstZoneHost+byte(i)), network.Bits(), zoneLink),
		)
	}
	for _, command := range commands {
		if _, err := output(ctx, "ip", strings.Fields(command)...); err != nil {
			return fmt.Errorf("make the zones' network: %w", err)
		}
	}
	for _, zone := range zoneNames {
		if _, err := output(ctx, "ip", "netns", "exec", s.namespace(zone), "sh", "-c", giveUp); err != nil {
			return fmt.Errorf("make the zones' network: %w", err)
		}
	}
	return nil
}

// removeNetwork removes what makeNetwork made, and what it half made: first the
// machine's link, which would only go in the kernel's own time with the
// switchboard.
func (s site) removeNetwork(ctx context.Context) error {
	links, failed := linkNames(ctx)
	if slices.Contains(links, s.link()) {
		_, err := output(ctx, "ip", "link", "delete", s.link())
		failed = errors.Join(failed, err)
	}
	for _, namespace := range s.namespaces() {
		if _, err := os.Stat(namespaceFile(namespace)); err == nil {
			_, err := output(ctx, "ip", "netns", "delete", namespace)
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// setLink plugs a zone in, or pulls its plug.
func (s site) setLink(ctx context.Context, zone, state string) error {
	_, err := output(ctx, "ip", "-n", s.switchboard(), "link", "set", "dev", zone, state)
	return err
}

// linkNames are the names of the machine's links.
func linkNames(ctx context.Context) ([]string, error) {
	listed, err := output(ctx, "ip", "-json", "link", "show")
	if err != nil {
		return nil, err
	}
	var links []struct {
		Name string `json:"ifname"`
	}
	if err := json.Unmarshal(listed, &links); err != nil {
		return nil, fmt.Errorf("read the machine's links: %w", err)
	}
	var names []string
	for _, link := range links {
		names = append(names, link.Name)
	}
	return names, nil
}

// namespaceFile is what stands for a network namespace.
func namespaceFile(name string) string { return filepath.Join("/run/netns", name) }

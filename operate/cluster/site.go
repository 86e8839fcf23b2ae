package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
)

// zoneNames are the zones of every cluster.
var zoneNames = []string{"a", "b", "c"}

// site says by which names a cluster is found on the machine, also by another
// process and when the one that made it was killed half-way. There is one
// cluster on a machine; tests have sites of their own.
type site struct {
	name string // begins the names of its namespaces, and of its link
	dir  string // holds all of its files but those of the resolver
	etc  string // where `ip netns exec` looks for files that a namespace has of its own
}

var machine = site{name: "drydock", dir: "/var/lib/drydock-cluster", etc: "/etc/netns"}

// namespace is the network namespace of a zone.
func (s site) namespace(zone string) string { return s.name + "-" + zone }

// switchboard is the namespace of the bridge between the zones and the machine.
// In a namespace of its own no packet filter of the machine, as that of a
// container engine, sees what passes over it.
func (s site) switchboard() string { return s.name + "-switch" }

// namespaces are all of them.
func (s site) namespaces() []string {
	all := []string{s.switchboard()}
	for _, zone := range zoneNames {
		all = append(all, s.namespace(zone))
	}
	return all
}

// link is the machine's own link to the zones.
func (s site) link() string { return s.name + "0" }

// zoneDir is the folder of a zone's data, configuration and logs.
func (s site) zoneDir(zone string) string { return filepath.Join(s.dir, zone) }

// zoneVolumes is the folder of a zone's host volumes, and volumes is where the
// zone's own tasks see it.
func (s site) zoneVolumes(zone string) string { return filepath.Join(s.zoneDir(zone), "volumes") }
func (s site) volumes() string                { return filepath.Join(s.dir, "volumes") }

// resolver is the folder of the files that a zone's processes see in /etc
// instead of the machine's.
func (s site) resolver(zone string) string { return filepath.Join(s.etc, s.namespace(zone)) }

// errBusy says that another process changes the cluster.
var errBusy = errors.New("another drydock cluster command is at work: wait until it has ended")

// lock keeps others from changing the cluster until it is released. It ends
// with the process, however that ends, and leaves no file.
func (s site) lock() (release func(), err error) {
	listener, err := net.Listen("unix", "@"+s.name+"-cluster")
	if err != nil {
		return nil, errBusy
	}
	return func() { listener.Close() }, nil
}

// output runs a program and returns what it prints.
func output(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s %s: %w: %s", program, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

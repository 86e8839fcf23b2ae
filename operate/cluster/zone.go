package cluster

import (
	"context"
	"fmt"
	"strings"
)

// Zone is one of a cluster's zones.
type Zone struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Nomad   string `json:"nomad"`  // URL of its server
	Consul  string `json:"consul"` // URL of its server
	DNS     string `json:"dns"`    // where its Consul resolves *.consul, host:port
}

func newZone(name, address string) Zone {
	return Zone{
		Name: name, Address: address,
		Nomad: "http://" + address + ":4646", Consul: "http://" + address + ":8500", DNS: address + ":53",
	}
}

// clientURL is that of its Nomad client, whose server has the usual port.
func (z Zone) clientURL() string { return "http://" + z.Address + ":5646" }

// nodeName is the name of a zone's node in Nomad.
func nodeName(zone string) string { return "node-" + zone }

// StopZone has a zone fail: its link is cut, so that nobody is told, and all of
// its processes are killed, tasks too. Its data stays. A zone that is stopped
// stays so.
func (s *Stack) StopZone(ctx context.Context, name string) error {
	z, release, err := s.take(name)
	if err != nil {
		return err
	}
	defer release()
	if err := s.site.setLink(ctx, z.Name, "down"); err != nil {
		return fmt.Errorf("stop zone %s: %w", z.Name, err)
	}
	if err := killAll(ctx, s.site.namespace(z.Name)); err != nil {
		return fmt.Errorf("stop zone %s: %w", z.Name, err)
	}
	return nil
}

// StartZone brings back a zone that was stopped, with its data, and returns when
// its agents are members of the cluster again; what runs there is Nomad's to
// say. A zone that runs is left alone.
func (s *Stack) StartZone(ctx context.Context, name string) error {
	z, release, err := s.take(name)
	if err != nil {
		return err
	}
	defer release()
	if err := s.site.setLink(ctx, z.Name, "up"); err != nil {
		return fmt.Errorf("start zone %s: %w", z.Name, err)
	}
	return s.startAgents(ctx, []Zone{z})
}

// take finds a zone, for a change of it that excludes others.
func (s *Stack) take(name string) (Zone, func(), error) {
	for _, z := range s.Zones {
		if z.Name == name {
			release, err := s.site.lock()
			return z, release, err
		}
	}
	return Zone{}, nil, fmt.Errorf("there is no zone %q: it is one of %s", name, strings.Join(zoneNames, ", "))
}

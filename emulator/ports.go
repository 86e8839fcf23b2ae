package emulator

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/host/ports"
)

// The parts beside the jobs that have a port.
const (
	PartObjects = "objects" // the object store
	PartEvents  = "events"  // the event bus
	PartMarket  = "market"  // the market feed
	PartMail    = "mail"    // the mail server, SMTP
	PartInbox   = "inbox"   // the mail server's inbox, HTTP
	PartConsul  = "consul"  // the HTTP API of Consul
	PartDNS     = "dns"     // the DNS of Consul
	PartNomad   = "nomad"   // the HTTP API of Nomad
)

var parts = []string{PartObjects, PartEvents, PartMarket, PartMail, PartInbox, PartConsul, PartDNS, PartNomad}

// Parts are the names of the parts that have a port.
func Parts() []string { return slices.Clone(parts) }

// linkedJob is the job that mails link to.
const linkedJob = "alerts"

// PortTakenError says that a port of Options, or of a job file, is not free.
type PortTakenError struct {
	Part   string // the name in Options.Ports, or of the job
	Label  string // of the port in the job file; empty for one of Options.Ports
	Port   int
	Holder ports.Holder
}

func (e *PortTakenError) Error() string {
	if e.Label != "" {
		return fmt.Sprintf("port %d, which the job %s has as %s, is taken by %s", e.Port, e.Part, e.Label, e.Holder)
	}
	return fmt.Sprintf("port %d for %s is taken by %s", e.Port, e.Part, e.Holder)
}

// choosePorts checks the ports that are given, and picks those of the parts that
// are not. Of the jobs, only the one that mails link to has to be known before.
func (s *Stack) choosePorts(jobs []string) error {
	given := s.options.Ports
	chosen := maps.Clone(given)
	if chosen == nil {
		chosen = map[string]int{}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(parts, name) && !slices.Contains(jobs, name) {
			return fmt.Errorf("a port is given for %q, which is neither a part (%s) nor a job", name, strings.Join(parts, ", "))
		}
		if err := checkPort(name, given[name]); err != nil {
			return err
		}
	}
	for _, name := range append([]string{linkedJob}, parts...) {
		for chosen[name] == 0 {
			port, lock, err := ports.Free()
			if err != nil {
				return err
			}
			s.portLocks = append(s.portLocks, lock)
			if !slices.Contains(slices.Collect(maps.Values(chosen)), port) {
				chosen[name] = port
			}
		}
	}
	s.options.Ports = chosen
	return nil
}

// checkStaticPorts tells early, and by name, that a port of a job file is taken.
func checkStaticPorts(job *api.Job) error {
	for _, group := range job.TaskGroups {
		for _, network := range group.Networks {
			for _, port := range network.ReservedPorts {
				var taken *PortTakenError
				err := checkPort(*job.ID, port.Value)
				if errors.As(err, &taken) {
					taken.Label = port.Label
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// checkPort tells early, and by name, that a port is taken.
func checkPort(part string, port int) error {
	if port == 0 {
		return nil
	}
	holder, taken, err := ports.Taken(port)
	if err != nil {
		return fmt.Errorf("listen on port %d for the %s: %w", port, part, err)
	}
	if !taken {
		return nil
	}
	return &PortTakenError{Part: part, Port: port, Holder: holder}
}

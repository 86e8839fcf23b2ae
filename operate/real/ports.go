package real

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/drydock/drydock/host/filelock"
	"github.com/drydock/drydock/host/ports"
)

// The ports of a stack that have a meaning for others.
const (
	PortPage        = "uploads"     // the uploads API and its page
	PortAlerts      = "alerts"      // the alerts API and its page
	PortDeadLetters = "deadletters" // the dead letters API
	PortObjects     = "objects"     // the object store
	PortEvents      = "events"      // the event bus
	PortDatabase    = "database"    // the database
	PortMarket      = "market"      // the market feed
	PortMail        = "mail"        // the mail server, SMTP
	PortInbox       = "inbox"       // its inbox, HTTP
	PortConsul      = "consul"      // the HTTP API of Consul
	PortDNS         = "dns"         // its DNS
	PortNomad       = "nomad"       // the HTTP API of Nomad
)

// port is a port of a stack.
type port struct {
	name     string
	usual    int
	job      string // that listens on it; empty for the agents
	variable string // of the job's file, which holds it
}

var allPorts = []port{
	{PortPage, 8080, "uploads", "http_port"},
	{PortAlerts, 8082, "alerts", "http_port"},
	{PortDeadLetters, 8083, "deadletters", "http_port"},
	{PortObjects, 9000, "minio", "api_port"},
	{PortEvents, 4222, "nats", "client_port"},
	{"events-monitor", 8222, "nats", "monitor_port"},
	{PortDatabase, 5432, "postgres", "client_port"},
	{PortMarket, 8084, "market", "http_port"},
	{PortMail, 1025, "inbox", "smtp_port"},
	{PortInbox, 8025, "inbox", "http_port"},
	{PortConsul, 8500, "", ""},
	{PortDNS, 8600, "", ""},
	{"consul-rpc", 8300, "", ""},
	{"consul-serf", 8301, "", ""},
	{PortNomad, 4646, "", ""},
	{"nomad-rpc", 4647, "", ""},
	{"nomad-serf", 4648, "", ""},
}

// UsualPorts are those that programs of their kind commonly have, by name.
func UsualPorts() map[string]int {
	usual := map[string]int{}
	for _, p := range allPorts {
		usual[p.name] = p.usual
	}
	return usual
}

// PortTakenError says that a port is not free.
type PortTakenError struct {
	Name   string // in Options.Ports
	Port   int
	Holder ports.Holder
}

func (e *PortTakenError) Error() string {
	return fmt.Sprintf("port %d for %s is taken by %s", e.Port, e.Name, e.Holder)
}

// choosePorts checks the ports that are given, and picks those that are not, for
// the agents and for the jobs that there are. The locks keep other stacks off
// what was picked.
func choosePorts(given map[string]int, jobs []string) (chosen map[string]int, locks []*filelock.Lock, err error) {
	chosen = map[string]int{}
	names := map[int]string{}
	known := UsualPorts()
	for name := range given {
		if _, ok := known[name]; !ok {
			return nil, nil, fmt.Errorf("a port is given for %q, which is none of %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	for _, p := range allPorts {
		if p.job != "" && !slices.Contains(jobs, p.job) {
			continue
		}
		number := given[p.name]
		if number == 0 {
			picked, lock, err := ports.Free()
			if err != nil {
				return nil, locks, err
			}
			locks = append(locks, lock)
			number = picked
		} else if err := checkPort(p.name, number); err != nil {
			return nil, locks, err
		}
		if other := names[number]; other != "" {
			return nil, locks, fmt.Errorf("%s and %s are both on port %d: choose another for one of them", other, p.name, number)
		}
		chosen[p.name], names[number] = number, p.name
	}
	return chosen, locks, nil
}

func checkPort(name string, number int) error {
	holder, taken, err := ports.Taken(number)
	if err != nil {
		return fmt.Errorf("listen on port %d for %s: %w", number, name, err)
	}
	if taken {
		return &PortTakenError{Name: name, Port: number, Holder: holder}
	}
	return nil
}

// Address is host:port of a port of the stack; empty for one that it does not have.
func (s *Stack) Address(name string) string {
	if s.Ports[name] == 0 {
		return ""
	}
	return net.JoinHostPort(loopback, strconv.Itoa(s.Ports[name]))
}

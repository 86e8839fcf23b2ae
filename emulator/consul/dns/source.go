package dns

import (
	"errors"
	"net/netip"
	"time"
)

// ErrNotFound is what a Source returns for a node, query, virtual IP or datacenter that is not there. Any other error is an answer
// SERVFAIL.
var ErrNotFound = errors.New("not found")

// Source is where the answers come from. Names are lower case and match without regard to case. An empty datacenter is the
// agent's own. It is called from many goroutines at once.
type Source interface {
	// Service gives the instances that are healthy enough to be found, in any order: those that pass, and those that warn
	// unless the agent's configuration says only_passing.
	Service(q ServiceQuery) ([]Instance, error)
	// Node gives a node, whatever its health.
	Node(datacenter, name string) (Node, error)
	// PreparedQuery executes a query. Its instances are answered in the order that it gives. Client is who asks: where it
	// matters, what is near to it comes first.
	PreparedQuery(datacenter, nameOrID string, client netip.Addr) (PreparedResult, error)
	// Virtual gives the virtual IP of a service in the mesh; ErrNotFound when it has none.
	Virtual(service string) (netip.Addr, error)
	// Reverse says whose address it is in the agent's datacenter; false when nobody's. A node goes before a service.
	Reverse(address netip.Addr) (Owner, bool)
	// Servers gives the nodes of the Consul servers of the agent's datacenter.
	Servers() []Node
}

// ServiceQuery says which instances of a service are asked for.
type ServiceQuery struct {
	Datacenter string
	Name       string
	Tag        string // only instances with this tag; empty for all
	Connect    bool   // instances that take mesh connections for the service: proxies and native ones
	Ingress    bool   // ingress gateways that expose the service
}

// Node is a node of the catalog.
type Node struct {
	Name       string
	Datacenter string
	Address    string // an IP, or a host name
	Meta       map[string]string
}

// Instance is an instance of a service.
type Instance struct {
	Node    Node
	Address string // an IP, or a host name; the node's when empty
	Port    int
	Weight  int // for the health that it has; outside of 1 to 65535 it counts as 1
}

// PreparedResult is what a prepared query found.
type PreparedResult struct {
	Instances []Instance
	TTL       time.Duration
}

// Owner is a node or a service that has an address; the other name is empty.
type Owner struct {
	Node       string
	Service    string
	Datacenter string
}

package dns

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// domain is the zone that an agent answers for.
const domain = "consul."

// kind is what a name under the domain is looked up as: the label in it that says so.
type kind string

const (
	kindAddr    kind = "addr"
	kindConnect kind = "connect"
	kindIngress kind = "ingress"
	kindNode    kind = "node"
	kindQuery   kind = "query"
	kindService kind = "service"
	kindVirtual kind = "virtual"
)

var kinds = []kind{kindAddr, kindConnect, kindIngress, kindNode, kindQuery, kindService, kindVirtual}

// name is a name under the domain, taken apart.
type name struct {
	kind       kind
	value      string // of a service, node, query or address
	tag        string // of a service; empty for none
	datacenter string // empty for the agent's own
}

// parseName takes apart a lower-case name under the domain; false when it is none that Consul knows.
func parseName(full string, qtype uint16) (name, bool) {
	labels := dns.SplitDomainName(strings.TrimSuffix(full, domain))
	i := len(labels) - 1
	for i >= 0 && !slices.Contains(kinds, kind(labels[i])) {
		i--
	}
	if i < 0 {
		return parseSRV(labels, qtype)
	}
	datacenter, ok := parseDatacenter(labels[i+1:])
	if !ok || i == 0 {
		return name{}, false
	}
	n := name{kind: kind(labels[i]), datacenter: datacenter}
	return n.with(labels[:i])
}

// parseSRV takes apart _service._tag[.datacenter], which is a service without saying so.
func parseSRV(labels []string, qtype uint16) (name, bool) {
	if qtype != dns.TypeSRV || len(labels) < 2 || !isRFC2782(labels[:2]) {
		return name{}, false
	}
	datacenter, ok := parseDatacenter(labels[2:])
	if !ok {
		return name{}, false
	}
	n := name{kind: kindService, datacenter: datacenter}
	return n.with(labels[:2])
}

// parseDatacenter reads what comes after the kind: nothing, <datacenter> or <datacenter>.dc.
func parseDatacenter(labels []string) (datacenter string, ok bool) {
	switch {
	case len(labels) == 0:
		return "", true
	case len(labels) == 1, len(labels) == 2 && labels[1] == "dc":
		return labels[0], true
	}
	return "", false
}

// with reads what comes before the kind.
func (n name) with(labels []string) (name, bool) {
	last := len(labels) - 1
	switch n.kind {
	case kindNode:
		n.value = strings.Join(labels, ".")
	case kindAddr:
		n.value = labels[last]
		return n, last == 0
	case kindQuery:
		n.value = strings.Join(labels, ".")
		if isRFC2782(labels) {
			n.value = labels[0][1:]
		}
	case kindService:
		n.value, n.tag = labels[last], strings.Join(labels[:last], ".")
		if isRFC2782(labels) {
			n.value, n.tag = labels[0][1:], labels[1][1:]
			if n.tag == "tcp" {
				n.tag = ""
			}
		}
	default: // what else stands before the service counts for nothing, as in Consul
		n.value = labels[last]
	}
	return n, n.value != ""
}

// isRFC2782 reports whether the labels are _service._protocol.
func isRFC2782(labels []string) bool {
	return len(labels) == 2 && strings.HasPrefix(labels[0], "_") && strings.HasPrefix(labels[1], "_")
}

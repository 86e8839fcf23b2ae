package dns

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// chaseDepth is how many aliases are followed.
const chaseDepth = 3

// lookup is one name that is being resolved.
type lookup struct {
	source Source
	owner  string // the name as it was asked, which owns the answers
	full   string // the name in lower case
	qtype  uint16
	client netip.Addr
	depth  int // how many aliases led here
}

// resolve finds the answers; ErrNotFound says that there is no such name.
func (l lookup) resolve() (reply, error) {
	if dns.IsSubDomain("arpa.", l.full) {
		return l.reverse()
	}
	switch l.qtype {
	case dns.TypeSOA:
		return l.zone(), nil
	case dns.TypeNS:
		return l.nameServers(), nil
	case dns.TypeAXFR:
		return reply{rcode: dns.RcodeNotImplemented}, nil
	}
	n, ok := parseName(l.full, l.qtype)
	if !ok {
		return reply{}, ErrNotFound
	}
	switch n.kind {
	case kindNode:
		return l.node(n)
	case kindAddr:
		return l.addr(n)
	case kindVirtual:
		return l.virtual(n)
	case kindQuery:
		return l.preparedQuery(n)
	}
	return l.service(n)
}

// chase finds what an alias under the domain stands for. Consul asks for all types then, whatever was asked for.
func (l lookup) chase(target string) []dns.RR {
	full := dns.CanonicalName(target)
	if l.depth == chaseDepth || !dns.IsSubDomain(domain, full) {
		return nil
	}
	l.owner, l.full, l.qtype, l.depth = target, full, dns.TypeANY, l.depth+1
	found, err := l.resolve()
	if err != nil {
		return nil // the alias alone is the answer
	}
	return found.answer
}

// wants reports whether the question is for records of the type.
func (l lookup) wants(rrtype uint16) bool { return l.qtype == rrtype || l.qtype == dns.TypeANY }

// under joins labels to a name under the domain.
func under(labels ...string) string { return strings.Join(append(labels, domain), ".") }

package dns

import "github.com/miekg/dns"

// node answers for <node>.node. A type that no node has is no records at all, without an SOA, whether or not the node is there.
func (l lookup) node(n name) (reply, error) {
	switch l.qtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeANY, dns.TypeTXT:
	default:
		return reply{}, nil
	}
	node, err := l.source.Node(n.datacenter, n.value)
	if err != nil {
		return reply{}, err
	}
	meta := metaRecords(l.owner, node.Meta, 0)
	switch l.qtype {
	case dns.TypeTXT:
		return reply{answer: meta}, nil
	case dns.TypeANY:
		return reply{answer: append(l.nodeAddress(node), meta...)}, nil
	}
	return reply{answer: l.nodeAddress(node), extra: meta}, nil
}

func (l lookup) nodeAddress(node Node) []dns.RR {
	ip, ok := parseIP(node.Address)
	if !ok {
		return append([]dns.RR{cnameRecord(l.owner, node.Address, 0)}, l.chase(dns.Fqdn(node.Address))...)
	}
	if record := ipRecord(l.owner, ip, 0); l.wants(record.Header().Rrtype) {
		return []dns.RR{record}
	}
	return nil
}

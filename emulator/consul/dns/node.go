package dns

import "github.com/miekg/dns"

// node answers for <node>.node. A type that the node has not is no records at all, without an SOA.
func (l lookup) node(n name) (reply, error) {
	node, err := l.source.Node(n.datacenter, n.value)
	if err != nil {
		return reply{}, err
	}
	var r reply
	meta := metaRecords(l.owner, node.Meta, 0)
	switch l.qtype {
	case dns.TypeA, dns.TypeAAAA:
		r.answer, r.extra = l.nodeAddress(node), meta
	case dns.TypeANY:
		r.answer = append(l.nodeAddress(node), meta...)
	case dns.TypeTXT:
		r.answer = meta
	}
	return r, nil
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

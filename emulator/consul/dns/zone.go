package dns

import (
	"time"

	"github.com/miekg/dns"
)

// soa is the record of the domain. Nothing is to be cached.
func soa() dns.RR {
	return &dns.SOA{
		Hdr: header(domain, dns.TypeSOA, 0), Ns: "ns." + domain, Mbox: "hostmaster." + domain,
		Serial: uint32(time.Now().Unix()), Refresh: 3600, Retry: 600, Expire: 86400,
	}
}

// zone answers a question for the SOA, of whatever name.
func (l lookup) zone() reply {
	servers := l.nameServers()
	return reply{answer: []dns.RR{soa()}, authority: servers.answer, extra: servers.extra}
}

// nameServers answers a question for the NS records, of whatever name.
func (l lookup) nameServers() reply {
	var r reply
	for _, server := range l.source.Servers() {
		target := nodeName(server)
		r.answer = append(r.answer, &dns.NS{Hdr: header(domain, dns.TypeNS, 0), Ns: target})
		if ip, ok := parseIP(server.Address); ok {
			r.extra = append(r.extra, ipRecord(target, ip, 0))
		}
	}
	return r
}

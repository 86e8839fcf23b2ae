package dns

import (
	"cmp"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// service answers for <service>.service, .connect and .ingress, in random order, so that clients spread.
func (l lookup) service(n name) (reply, error) {
	found, err := l.source.Service(ServiceQuery{
		Datacenter: n.datacenter, Name: n.value, Tag: n.tag, Connect: n.kind == kindConnect, Ingress: n.kind == kindIngress,
	})
	if err != nil {
		return reply{}, err
	}
	found = slices.Clone(found)
	rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	return l.instances(found, 0)
}

// preparedQuery answers for <query>.query.
func (l lookup) preparedQuery(n name) (reply, error) {
	found, err := l.source.PreparedQuery(n.datacenter, n.value, l.client)
	if err != nil {
		return reply{}, err
	}
	return l.instances(found.Instances, found.TTL)
}

func (l lookup) instances(found []Instance, ttl time.Duration) (reply, error) {
	if len(found) == 0 {
		return reply{}, ErrNotFound
	}
	var r reply
	if l.qtype == dns.TypeSRV {
		for _, instance := range found {
			l.addSRV(&r, instance, ttl)
		}
	} else {
		r.answer = l.addresses(found, ttl)
	}
	if len(r.answer) == 0 {
		r.authority = []dns.RR{soa()}
	}
	return r, nil
}

// addresses are the addresses of instances, each once.
func (l lookup) addresses(found []Instance, ttl time.Duration) []dns.RR {
	var all []dns.RR
	seen := map[string]bool{}
	for _, instance := range found {
		address := cmp.Or(instance.Address, instance.Node.Address)
		if seen[address] {
			continue
		}
		seen[address] = true
		ip, ok := parseIP(address)
		if !ok {
			all = append(all, cnameRecord(l.owner, address, ttl))
			all = append(all, l.chaseAddresses(address)...)
			continue
		}
		// Consul answers TXT, which services have not, with addresses.
		if record := ipRecord(l.owner, ip, ttl); l.wants(record.Header().Rrtype) || l.qtype == dns.TypeTXT {
			all = append(all, record)
		}
	}
	return all
}

func (l lookup) chaseAddresses(address string) []dns.RR {
	return slices.DeleteFunc(l.chase(dns.Fqdn(address)), func(record dns.RR) bool { return record.Header().Rrtype == dns.TypeTXT })
}

// addSRV adds the record of an instance, and what a client would ask for next.
func (l lookup) addSRV(r *reply, instance Instance, ttl time.Duration) {
	address := cmp.Or(instance.Address, instance.Node.Address)
	ip, ok := parseIP(address)
	target := dns.Fqdn(address)
	switch {
	case ok && instance.Address != "":
		target = under(hex.EncodeToString(ip.AsSlice()), string(kindAddr), instance.Node.Datacenter)
	case ok:
		target = nodeName(instance.Node)
	}
	r.answer = append(r.answer, &dns.SRV{
		Hdr: header(l.owner, dns.TypeSRV, ttl), Priority: 1, Weight: weight(instance), Port: uint16(instance.Port), Target: target,
	})
	if !ok {
		r.extra = append(r.extra, l.chaseAddresses(address)...)
		return
	}
	r.extra = append(r.extra, ipRecord(target, ip, ttl))
	r.extra = append(r.extra, metaRecords(nodeName(instance.Node), instance.Node.Meta, ttl)...)
}

func weight(instance Instance) uint16 {
	if instance.Weight < 1 || instance.Weight > math.MaxUint16 {
		return 1
	}
	return uint16(instance.Weight)
}

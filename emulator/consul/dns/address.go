package dns

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// addr answers for <hex>.addr: an address in a name, which SRV records point to.
func (l lookup) addr(n name) (reply, error) {
	bytes, err := hex.DecodeString(n.value)
	ip, ok := netip.AddrFromSlice(bytes)
	if err != nil || !ok {
		return reply{}, ErrNotFound
	}
	return l.oneAddress(l.full, ip), nil
}

// virtual answers for <service>.virtual, of the agent's datacenter alone. A service without a virtual IP has no records.
func (l lookup) virtual(n name) (reply, error) {
	if n.datacenter != "" {
		return reply{}, nil
	}
	ip, err := l.source.Virtual(n.value)
	if errors.Is(err, ErrNotFound) {
		return reply{}, nil
	}
	if err != nil {
		return reply{}, err
	}
	return l.oneAddress(l.owner, ip), nil
}

// oneAddress is an address as the answer if it is of the type that was asked for, and beside the answer otherwise.
func (l lookup) oneAddress(owner string, ip netip.Addr) reply {
	record := ipRecord(owner, ip, 0)
	if l.wants(record.Header().Rrtype) {
		return reply{answer: []dns.RR{record}}
	}
	return reply{extra: []dns.RR{record}}
}

// reverse answers for names under arpa, with a PTR record whatever the type.
func (l lookup) reverse() (reply, error) {
	ip, ok := parseReverse(l.full)
	if !ok {
		return reply{}, ErrNotFound
	}
	owner, ok := l.source.Reverse(ip)
	if !ok {
		return reply{}, ErrNotFound
	}
	target := under(owner.Service, string(kindService), owner.Datacenter)
	if owner.Node != "" {
		target = under(owner.Node, string(kindNode), owner.Datacenter)
	}
	return reply{answer: []dns.RR{&dns.PTR{Hdr: header(l.owner, dns.TypePTR, 0), Ptr: target}}}, nil
}

// parseReverse reads the address in a name under in-addr.arpa or ip6.arpa.
func parseReverse(full string) (netip.Addr, bool) {
	if name, ok := strings.CutSuffix(full, ".in-addr.arpa."); ok {
		labels := strings.Split(name, ".")
		slices.Reverse(labels)
		ip, err := netip.ParseAddr(strings.Join(labels, "."))
		return ip, err == nil && ip.Is4()
	}
	name, ok := strings.CutSuffix(full, ".ip6.arpa.")
	digits := strings.Split(name, ".")
	if !ok || len(digits) != 32 {
		return netip.Addr{}, false
	}
	slices.Reverse(digits)
	bytes, err := hex.DecodeString(strings.Join(digits, ""))
	if err != nil {
		return netip.Addr{}, false
	}
	return netip.AddrFromSlice(bytes)
}

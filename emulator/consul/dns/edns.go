package dns

import (
	"net/netip"

	"github.com/miekg/dns"
)

// sizeLimit is how many bytes the answer to a request may have.
func sizeLimit(request *dns.Msg, tcp bool) int {
	if tcp {
		return dns.MaxMsgSize
	}
	if opt := request.IsEdns0(); opt != nil {
		return max(int(opt.UDPSize()), dns.MinMsgSize)
	}
	return dns.MinMsgSize
}

// addEDNS says in the answer that EDNS is spoken, if the request did. The answers are the same for all subnets.
func addEDNS(m, request *dns.Msg) {
	asked := request.IsEdns0()
	if asked == nil {
		return
	}
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	opt.SetUDPSize(asked.UDPSize())
	if subnet := clientSubnet(request); subnet != nil {
		echo := *subnet
		echo.SourceScope = 0
		opt.Option = append(opt.Option, &echo)
	}
	m.Extra = append(m.Extra, opt)
}

// clientAddress is who asks: the client that a resolver asks for, if it says so, else whom the request came from.
func clientAddress(request *dns.Msg, from netip.Addr) netip.Addr {
	if subnet := clientSubnet(request); subnet != nil {
		if ip, ok := netip.AddrFromSlice(subnet.Address); ok {
			return ip.Unmap()
		}
	}
	return from
}

func clientSubnet(request *dns.Msg) *dns.EDNS0_SUBNET {
	opt := request.IsEdns0()
	if opt == nil {
		return nil
	}
	for _, option := range opt.Option {
		if subnet, ok := option.(*dns.EDNS0_SUBNET); ok {
			return subnet
		}
	}
	return nil
}

package dns

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxText is how many bytes one string of a TXT record holds.
const maxText = 255

// rawMetaPrefix marks node metadata that is put into TXT records without its key.
const rawMetaPrefix = "rfc1035-"

func header(owner string, rrtype uint16, ttl time.Duration) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: uint32(max(ttl, 0) / time.Second)}
}

// parseIP reads an IP; false for anything else, such as a host name.
func parseIP(address string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(address)
	return ip.Unmap().WithZone(""), err == nil
}

func ipRecord(owner string, ip netip.Addr, ttl time.Duration) dns.RR {
	if ip.Is4() {
		return &dns.A{Hdr: header(owner, dns.TypeA, ttl), A: net.IP(ip.AsSlice())}
	}
	return &dns.AAAA{Hdr: header(owner, dns.TypeAAAA, ttl), AAAA: net.IP(ip.AsSlice())}
}

func cnameRecord(owner, target string, ttl time.Duration) dns.RR {
	return &dns.CNAME{Hdr: header(owner, dns.TypeCNAME, ttl), Target: dns.Fqdn(target)}
}

// metaRecords are the metadata of a node as TXT records.
func metaRecords(owner string, meta map[string]string, ttl time.Duration) []dns.RR {
	var all []dns.RR
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		text := meta[key]
		if !strings.HasPrefix(key, rawMetaPrefix) {
			text = key + "=" + text
		}
		all = append(all, &dns.TXT{Hdr: header(owner, dns.TypeTXT, ttl), Txt: textStrings(text)})
	}
	return all
}

// textStrings cuts a text into strings that fit into a TXT record, escaped as the library wants them.
func textStrings(text string) []string {
	var all []string
	for len(text) > maxText {
		all = append(all, text[:maxText])
		text = text[maxText:]
	}
	all = append(all, text)
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], `\`, `\\`)
	}
	return all
}

// nodeName is the name under which a node is found from anywhere.
func nodeName(n Node) string { return under(n.Name, string(kindNode), n.Datacenter) }

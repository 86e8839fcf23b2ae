package dns

import (
	"sort"

	"github.com/miekg/dns"
)

// udpAnswerLimit is how many answers a client gets over UDP that does not say that it takes more than 512 bytes:
// udp_answer_limit in Consul's dns_config.
const udpAnswerLimit = 3

// fit makes a message small enough for its reader, and reports whether it has left answers out. An answer that is cut has
// beside it the addresses that it points to, and nothing else: not even the OPT record, which is counted all the same.
func fit(m *dns.Msg, limit int, tcp bool) (cut bool) {
	all, whole := m.Answer, m.Extra
	most := len(all)
	if !tcp && limit <= dns.MinMsgSize {
		most = min(most, udpAnswerLimit)
	}
	if most == len(all) && m.Len() <= limit {
		return false
	}
	if opt := m.IsEdns0(); opt != nil {
		limit -= dns.Len(opt)
	}
	pointed := addressesByOwner(whole)
	keep := func(n int) {
		m.Answer, m.Extra = all[:n], nil
		seen := map[string]bool{}
		for _, answer := range m.Answer {
			if srv, ok := answer.(*dns.SRV); ok && !seen[srv.Target] && pointed[srv.Target] != nil {
				seen[srv.Target] = true
				m.Extra = append(m.Extra, pointed[srv.Target])
			}
		}
	}
	// The first number of answers that is too much, if one is; the first answer is kept in any case.
	tooMany := 2 + sort.Search(max(most-1, 0), func(i int) bool {
		keep(i + 2)
		return m.Len() > limit
	})
	keep(min(tooMany-1, most))
	return len(m.Answer) < len(all)
}

// addressesByOwner has the first address record of each name.
func addressesByOwner(records []dns.RR) map[string]dns.RR {
	all := map[string]dns.RR{}
	for _, record := range records {
		rrtype := record.Header().Rrtype
		if (rrtype == dns.TypeA || rrtype == dns.TypeAAAA) && all[record.Header().Name] == nil {
			all[record.Header().Name] = record
		}
	}
	return all
}

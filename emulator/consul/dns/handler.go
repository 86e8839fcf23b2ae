package dns

import (
	"errors"
	"log/slog"
	"net/netip"

	"github.com/miekg/dns"
)

// handler answers queries.
type handler struct {
	source   Source
	truncate bool
	log      *slog.Logger
}

// ServeDNS answers one query. The library has refused what has not exactly one question.
func (h *handler) ServeDNS(w dns.ResponseWriter, request *dns.Msg) {
	from, _ := netip.ParseAddrPort(w.RemoteAddr().String())
	answer := h.respond(request, w.LocalAddr().Network() == "tcp", from.Addr().Unmap())
	if err := w.WriteMsg(answer); err == nil {
		return
	}
	// What it holds may be impossible to write, such as a host name that is too long; or the client has gone.
	failure := new(dns.Msg).SetRcode(request, dns.RcodeServerFailure)
	if err := w.WriteMsg(failure); err != nil {
		h.log.Debug("DNS answer not written", "name", request.Question[0].Name, "error", err)
	}
}

// respond makes the answer to a query that came from an address.
func (h *handler) respond(request *dns.Msg, tcp bool, from netip.Addr) *dns.Msg {
	q := request.Question[0]
	m := new(dns.Msg).SetReply(request)
	m.Compress = true
	full := dns.CanonicalName(q.Name)
	if !dns.IsSubDomain(domain, full) && !dns.IsSubDomain("arpa.", full) {
		m.Rcode = dns.RcodeRefused
		return m
	}
	l := lookup{source: h.source, owner: q.Name, full: full, qtype: q.Qtype, client: clientAddress(request, from)}
	r, err := l.resolve()
	switch {
	case errors.Is(err, ErrNotFound):
		r = reply{rcode: dns.RcodeNameError, authority: []dns.RR{soa()}}
	case err != nil:
		h.log.Error("DNS query failed", "name", q.Name, "error", err)
		r = reply{rcode: dns.RcodeServerFailure}
	}
	m.Authoritative = true
	m.Rcode, m.Answer, m.Ns, m.Extra = r.rcode, r.answer, r.authority, r.extra
	addEDNS(m, request)
	if fit(m, sizeLimit(request, tcp), tcp) {
		m.Truncated = h.truncate
	}
	return m
}

// reply is what a lookup found: the sections of a message.
type reply struct {
	rcode     int
	answer    []dns.RR
	authority []dns.RR
	extra     []dns.RR
}

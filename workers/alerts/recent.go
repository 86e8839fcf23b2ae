package alerts

import (
	"time"

	"github.com/drydock/drydock/contract"
)

// remembered is how many quotes of a partition a recent holds.
const remembered = 1024

// recent holds the traces of the last quotes, so that an alert continues that
// of the quote which fired it also when its rule became known only afterwards.
type recent struct {
	quotes []traced // a ring, once it is full
	next   int
}

// traced is what is remembered of a quote.
type traced struct {
	symbol      string
	time        time.Time
	traceParent string
}

func (r *recent) add(quote contract.Quote, traceParent string) {
	t := traced{quote.Symbol, quote.Time, traceParent}
	if len(r.quotes) < remembered {
		r.quotes = append(r.quotes, t)
		return
	}
	r.quotes[r.next] = t
	r.next = (r.next + 1) % remembered
}

// traceOf is the traceparent of the quote which fired the alert; empty when the
// quote is not among the last. The newest is looked at first.
func (r *recent) traceOf(alert contract.Alert) string {
	for i := range r.quotes {
		t := r.quotes[(r.next+len(r.quotes)-1-i)%len(r.quotes)]
		if t.symbol == alert.Symbol && t.time.Equal(alert.Time) {
			return t.traceParent
		}
	}
	return ""
}

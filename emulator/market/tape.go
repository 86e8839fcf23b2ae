package market

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/drydock/drydock/contract"
)

const (
	// surge is how many times the usual volume is traded in a spike or a crash.
	surge = 5
	// leastPrice and mostPrice bound what events can make of a price, and what
	// is given.
	leastPrice = 1e-4
	mostPrice  = 1e12
	mostVolume = mostPrice
	// mostLate is how many quotes may overtake one that is out of order.
	mostLate = 2
)

// span is from a time up to, but not including, another.
type span struct{ begin, end int64 }

func (s span) has(at int64) bool { return s.begin <= at && at < s.end }

// tape is a symbol's quotes as the events and the injected quotes make them.
type tape struct {
	symbol   string
	series   series
	moves    []Event // that change the price
	surges   []span
	halts    []span
	doubled  []span
	shuffled []span
	injected []contract.Quote // by time
}

func newTape(symbol string, s series, b *book) *tape {
	t := &tape{symbol: symbol, series: s, injected: b.injected[symbol]}
	for _, e := range b.events {
		if e.Symbol != "" && e.Symbol != symbol {
			continue
		}
		switch e.Kind {
		case Spike, Crash:
			t.moves, t.surges = append(t.moves, e), append(t.surges, e.span())
		case Gap:
			t.moves = append(t.moves, e)
		case Halt:
			t.halts = append(t.halts, e.span())
		case Duplicate:
			t.doubled = append(t.doubled, e.span())
		case OutOfOrder:
			t.shuffled = append(t.shuffled, e.span())
		}
	}
	return t
}

// within finds the span that has a time.
func within(spans []span, at int64) (span, bool) {
	for _, s := range spans {
		if s.has(at) {
			return s, true
		}
	}
	return span{}, false
}

// next is the time of the first quote after a time.
func (t *tape) next(after int64) (int64, bool) {
	at, ok := t.series.next(after)
	for ok {
		halt, halted := within(t.halts, at)
		if !halted {
			break
		}
		at, ok = t.series.next(halt.end - 1)
	}
	if i := t.injectedUntil(after); i < len(t.injected) {
		if injected := t.injected[i].Time.UnixNano(); !ok || injected < at {
			return injected, true
		}
	}
	return at, ok
}

// last is the time of the last quote up to a time.
func (t *tape) last(until int64) (int64, bool) {
	at, ok := t.series.last(until)
	for ok {
		halt, halted := within(t.halts, at)
		if !halted {
			break
		}
		at, ok = t.series.last(halt.begin - 1)
	}
	if i := t.injectedUntil(until); i > 0 {
		if injected := t.injected[i-1].Time.UnixNano(); !ok || injected > at {
			return injected, true
		}
	}
	return at, ok
}

// injectedUntil counts the injected quotes up to a time.
func (t *tape) injectedUntil(until int64) int {
	return sort.Search(len(t.injected), func(i int) bool { return t.injected[i].Time.UnixNano() > until })
}

// quote is the one at the time of a quote.
func (t *tape) quote(at int64) contract.Quote {
	return contract.Quote{
		Symbol: t.symbol,
		Price:  t.price(at),
		Volume: t.volume(at-1, at),
		Time:   time.Unix(0, at).UTC(),
	}
}

// price goes on from the last injected quote, if there is one, as the price
// would have without.
func (t *tape) price(at int64) float64 {
	price := t.moved(at)
	if i := t.injectedUntil(at); i > 0 {
		from := t.injected[i-1]
		if from.Time.UnixNano() == at {
			return from.Price
		}
		price *= from.Price / t.moved(from.Time.UnixNano())
	}
	return rounded(price)
}

func (t *tape) moved(at int64) float64 {
	price := t.series.price(at)
	for _, e := range t.moves {
		price *= e.factor(at)
	}
	return min(max(price, leastPrice), mostPrice)
}

// rounded has two decimals, below 1 four.
func rounded(price float64) float64 {
	price = min(max(price, leastPrice), mostPrice)
	if price >= 0.99995 {
		return math.Round(price*100) / 100
	}
	return math.Round(price*10000) / 10000
}

// volume is what is traded after a time and up to another. An injected quote
// takes the place of the series' own at its time.
func (t *tape) volume(after, until int64) float64 {
	sum := t.traded(after, until)
	for _, q := range t.injected[t.injectedUntil(after):t.injectedUntil(until)] {
		at := q.Time.UnixNano()
		sum += q.Volume - t.traded(at-1, at)
	}
	return sum
}

// traded is the volume without the injected quotes.
func (t *tape) traded(after, until int64) float64 {
	var sum float64
	for _, cut := range t.cuts(after, until) {
		if activity := t.activity(cut); activity > 0 {
			sum += activity * t.series.volume(after, cut)
		}
		after = cut
	}
	return sum
}

// cuts divide what is after a time and up to another into parts of one
// activity each; they are the ends of the parts.
func (t *tape) cuts(after, until int64) []int64 {
	cuts := []int64{until}
	for _, spans := range [][]span{t.halts, t.surges} {
		for _, s := range spans {
			for _, cut := range []int64{s.begin - 1, s.end - 1} {
				if after < cut && cut < until {
					cuts = append(cuts, cut)
				}
			}
		}
	}
	slices.Sort(cuts)
	return cuts
}

// activity is what the volume is multiplied by.
func (t *tape) activity(at int64) float64 {
	if _, halted := within(t.halts, at); halted {
		return 0
	}
	if _, surging := within(t.surges, at); surging {
		return surge
	}
	return 1
}

// lateness is how many quotes overtake the one at a time.
func (t *tape) lateness(at int64) int {
	if _, shuffled := within(t.shuffled, at); !shuffled {
		return 0
	}
	return int((mostLate + 1) * random(0, at))
}

// delivered are the times of the quotes that a reader is given at the time of
// one, in order: that one unless it comes late, and those that came late.
func (t *tape) delivered(at int64) []int64 {
	var times []int64
	for late, ok := 0, true; ok && late <= mostLate; late++ {
		if t.lateness(at) == late {
			times = append(times, at)
			if _, doubled := within(t.doubled, at); doubled {
				times = append(times, at)
			}
		}
		at, ok = t.last(at - 1)
	}
	return times
}

// latest is the time of the quote that was delivered last, which is not always
// the newest.
func (t *tape) latest(until int64) (int64, bool) {
	for {
		at, ok := t.last(until)
		if !ok {
			return 0, false
		}
		if times := t.delivered(at); len(times) > 0 {
			return times[len(times)-1], true
		}
		until = at - 1
	}
}

// page returns the tapes' quotes after a time and up to another, ascending by
// time; tapes in the order of their symbols keep that order in ties. It has at
// most limit quotes, and more says that there are others: it ends before a time
// that has too many, unless that would make it empty. An interval above 0 gives
// one quote per tape for each of its multiples: the last price and the sum of
// the volumes since the one before, at the time of its end.
func page(tapes []*tape, after, until int64, limit int, interval int64) (quotes []contract.Quote, more bool) {
	for {
		at, ok := nextOf(tapes, after)
		if !ok || at > until {
			return quotes, false
		}
		end := at
		if interval > 0 {
			end = min((at+interval-1)/interval*interval, until)
		}
		before := len(quotes)
		for _, t := range tapes {
			if last, ok := t.last(end); ok && last > after {
				quotes = append(quotes, contract.Quote{
					Symbol: t.symbol,
					Price:  t.price(last),
					Volume: t.volume(after, end),
					Time:   time.Unix(0, end).UTC(),
				})
			}
		}
		if before > 0 && len(quotes) > limit {
			return quotes[:before], true
		}
		after = end
	}
}

// nextOf is the time of the first quote of any tape after a time.
func nextOf(tapes []*tape, after int64) (first int64, found bool) {
	for _, t := range tapes {
		if at, ok := t.next(after); ok && (!found || at < first) {
			first, found = at, true
		}
	}
	return first, found
}

// Package rules is the meaning of a contract.Rule: it finds the alerts that
// quotes fire. The alerts worker follows the market with an Engine, the API
// asks DryRun what a rule would have done.
//
// What a quote does to a rule depends on the rule and on the quotes of its
// symbol alone, never on the clock (but for Engine's MaxAge) nor on other
// rules: who reads the same quotes again finds the same alerts, by the same IDs.
package rules

import (
	"fmt"
	"iter"
	"maps"
	"time"

	"github.com/drydock/drydock/contract"
)

// slack is how much of a symbol's quotes is kept at least, for rules that
// become known a little after they were set.
const slack = int64(10 * time.Second)

// Engine evaluates quotes. It holds rules of any number of symbols; where many
// share the work, those of a symbol are all in one. A quote costs a little for
// each span that the symbol's rules look back, whatever the number of rules,
// and what the crossings cost.
//
// An engine begins behind: it takes rules, what was kept of an earlier one by
// Restore and RestoreWindow, and quotes by Replay. Resume brings it up to the
// present, and from then on Evaluate finds alerts.
//
// An Engine is not safe for concurrent use.
type Engine struct {
	maxAge  time.Duration
	rules   []*[chunk]rule
	free    []uint32
	used    uint32 // numbers that were ever given
	numbers index
	names   map[identity]string // of the IDs that are not plain
	symbols map[string]*symbol
	series  []*series
	unused  []uint32 // numbers of series
	kept    map[identity]kept
	behind  bool
	crossed []uint32 // scratch
}

const chunk = 1024 // rules that are allocated at once

// symbol is what is known of one.
type symbol struct {
	name   string
	window window
	series []uint32
	rules  []uint32
	// restored holds the rules whose kept state is of a time that the quotes
	// have not passed yet, by that time.
	restored heap[int64]
	saved    uint64 // position up to which the window was saved
	parts    int    // that the kept states are split in
	dirty    [256 / 64]uint64
}

// measure is what a series looks at.
type measure uint8

const (
	price measure = iota
	change
	volume
)

// series is one value that changes with a symbol's quotes, and the rules that
// wait for it. They are found without looking at any other: those that wait
// for it to rise, by the value they wait for; those for its fall, by the
// negative of it; and those that are not active yet, by when they were set.
type series struct {
	number  uint32
	symbol  *symbol
	measure measure
	span    int64 // that is looked back, in nanoseconds
	cursor  int   // number of a quote that is not after the reference
	rules   int
	pending heap[int64]
	rising  heap[float64]
	falling heap[float64]
}

// New makes an engine that is behind and knows no rules. A quote that is older
// than maxAge when it is evaluated fires nothing; zero is no limit.
func New(maxAge time.Duration) *Engine {
	e := &Engine{
		maxAge:  maxAge,
		names:   map[identity]string{},
		symbols: map[string]*symbol{},
		kept:    map[identity]kept{},
		behind:  true,
	}
	e.numbers.identity = func(n uint32) identity { return e.rule(n).id }
	return e
}

// DryRun returns the alerts that the quotes, which are in the order of their
// arrival, would have fired had the rule been set before them and not paused.
// Quotes of other symbols are passed over. It returns the first error that the
// quotes yield.
func DryRun(rule contract.Rule, quotes iter.Seq2[contract.Quote, error]) ([]contract.Alert, error) {
	rule.Changed, rule.Paused = time.Time{}, false
	engine := New(0)
	if _, err := engine.Put(nil, rule); err != nil {
		return nil, err
	}
	engine.Resume(nil)
	var alerts []contract.Alert
	for quote, err := range quotes {
		if err != nil {
			return nil, fmt.Errorf("dry run of a rule: %w", err)
		}
		if quote.Symbol == rule.Symbol {
			alerts = engine.Evaluate(alerts, quote, 0)
		}
	}
	return alerts, nil
}

// Len is the number of rules that can fire: those that are paused are not held.
func (e *Engine) Len() int { return e.numbers.count }

// Put adds a rule or replaces the one of its ID; one with the same time of
// change is the same rule, and left as it is. When the symbol's quotes have
// passed that time already, those that are still known are evaluated, and
// their alerts appended. It returns an error for a rule that cannot be.
func (e *Engine) Put(alerts []contract.Alert, r contract.Rule) ([]contract.Alert, error) {
	made, measure, err := compile(r)
	if err != nil {
		return alerts, fmt.Errorf("rule %s: %w", r.ID, err)
	}
	id, plain := identify(r.ID)
	made.id = id
	if n, ok := e.numbers.find(id); ok {
		if old := e.rule(n); old.changed == made.changed && !r.Paused {
			return alerts, nil
		}
		e.remove(n)
	}
	if r.Paused {
		return alerts, nil
	}
	if !plain {
		e.names[id] = r.ID
	}
	s := e.seriesOf(e.symbolOf(r.Symbol), measure, int64(r.Condition.Window)*int64(time.Second))
	s.rules++
	made.series = s.number
	n := e.number()
	*e.rule(n) = made
	e.numbers.add(n)
	s.symbol.rules = append(s.symbol.rules, n)
	if e.behind {
		return alerts, nil
	}
	return e.place(alerts, n), nil
}

// Remove ends a rule; a missing one is no error.
func (e *Engine) Remove(id string) {
	raw, _ := identify(id)
	if n, ok := e.numbers.find(raw); ok {
		e.remove(n)
	}
}

// Replay takes a quote that was evaluated before, for those that look back to it.
func (e *Engine) Replay(quote contract.Quote, position uint64) { e.observe(quote, position) }

// Evaluate appends the alerts that a quote fires. Its position in the stream
// is what Need answers with. A quote that is not later than the symbol's last
// is ignored.
func (e *Engine) Evaluate(alerts []contract.Alert, quote contract.Quote, position uint64) []contract.Alert {
	s := e.observe(quote, position)
	if s == nil {
		return alerts
	}
	for s.restored.reaches(nanoseconds(quote.Time) - 1) {
		e.enter(s.restored.pop())
	}
	number := s.window.end() - 1
	for _, n := range s.series {
		alerts = e.advance(alerts, e.series[n], number)
	}
	return alerts
}

// observe appends a quote to its symbol's window; nil when it comes too late.
func (e *Engine) observe(quote contract.Quote, position uint64) *symbol {
	s := e.symbolOf(quote.Symbol)
	at := nanoseconds(quote.Time)
	if !s.window.empty() && at <= s.window.last().time {
		return nil
	}
	s.window.add(tick{time: at, price: quote.Price, volume: quote.Volume, position: position})
	span := slack
	for _, n := range s.series {
		span = max(span, e.series[n].span)
	}
	s.window.trim(at - span)
	return s
}

// advance takes a series to a new quote.
func (e *Engine) advance(alerts []contract.Alert, s *series, number int) []contract.Alert {
	reference, ok := s.follow(number)
	if !ok {
		return alerts
	}
	value, oldest, ok := s.value(reference, number)
	if !ok {
		return alerts
	}
	for s.pending.reaches(oldest - 1) {
		n := s.pending.pop()
		r := e.rule(n)
		r.state |= r.fresh()
		e.enter(n)
	}
	crossed := e.crossed[:0]
	for s.rising.reaches(value) {
		crossed = append(crossed, s.rising.pop())
	}
	rising := len(crossed)
	for s.falling.reaches(-value) {
		crossed = append(crossed, s.falling.pop())
	}
	for i, n := range crossed {
		r := e.rule(n)
		before := r.state
		alerts = e.cross(alerts, r, number, i < rising, value)
		if before&(rises|falls) != rises|falls { // else it waits on the other side already
			e.enter(n)
		}
	}
	e.crossed = crossed
	return alerts
}

// follow finds the quote that a series looks back to from its symbol's last.
func (s *series) follow(number int) (reference int, ok bool) {
	if s.measure == price {
		return number, true
	}
	w := &s.symbol.window
	horizon := w.at(number).time - s.span
	s.cursor = max(s.cursor, w.first())
	if w.at(s.cursor).time > horizon {
		return 0, false
	}
	for w.at(s.cursor+1).time <= horizon {
		s.cursor++
	}
	return s.cursor, true
}

// find is follow for any quote.
func (s *series) find(number int) (reference int, ok bool) {
	if s.measure == price {
		return number, true
	}
	return s.symbol.window.lastAt(s.symbol.window.at(number).time - s.span)
}

// value is what a series has at a quote, and the time of the oldest quote that
// it was made of; ok is false when it has none.
func (s *series) value(reference, number int) (value float64, oldest int64, ok bool) {
	w := &s.symbol.window
	now, then := w.at(number), w.at(reference)
	switch s.measure {
	case change:
		return 100 * (now.price - then.price) / then.price, then.time, true
	case volume:
		mean := w.meanVolume(reference, number)
		return now.volume / mean, then.time, mean > 0
	}
	return now.price, now.time, true
}

// cross takes a rule to the other side at a quote.
func (e *Engine) cross(alerts []contract.Alert, r *rule, number int, rising bool, value float64) []contract.Alert {
	s := e.series[r.series]
	at := s.symbol.window.at(number)
	met := r.cross(rising)
	part := r.part()
	s.symbol.dirty[part/64] |= 1 << (part % 64)
	if !met || !r.mayFire(at.time, e.maxAge) {
		return alerts
	}
	r.fired(at.time)
	id, moment := e.name(r.id), time.Unix(0, at.time).UTC()
	return append(alerts, contract.Alert{
		ID:     contract.AlertID(id, moment),
		Rule:   id,
		Owner:  r.owner.Value(),
		Symbol: s.symbol.name,
		Kind:   s.kind(r),
		Price:  at.price,
		Volume: at.volume,
		Time:   moment,
		Level:  r.level,
		Value:  value,
	})
}

func (s *series) kind(r *rule) string {
	switch {
	case s.measure == change:
		return contract.Change
	case s.measure == volume:
		return contract.Volume
	case r.state&upward == 0:
		return contract.Below
	case r.state&downward == 0:
		return contract.Above
	}
	return contract.Crosses
}

// enter lets a rule wait for what its state says.
func (e *Engine) enter(n uint32) {
	r := e.rule(n)
	s := e.series[r.series]
	if r.state&rises != 0 {
		s.rising.push(r.rise(), n)
	}
	if r.state&falls != 0 {
		s.falling.push(-r.fall(), n)
	}
}

// place gives a rule its part in an engine that is not behind.
func (e *Engine) place(alerts []contract.Alert, n uint32) []contract.Alert {
	r := e.rule(n)
	s := e.series[r.series]
	if k, ok := e.kept[r.id]; ok && k.changed == r.changed {
		delete(e.kept, r.id)
		r.state, r.until = r.state|k.state, k.until
		s.symbol.restored.push(k.asOf, n)
		return alerts
	}
	return e.catchUp(alerts, r, n)
}

// catchUp evaluates the quotes since a rule was set that are known still. It
// does what advance does, for one rule.
func (e *Engine) catchUp(alerts []contract.Alert, r *rule, n uint32) []contract.Alert {
	s := e.series[r.series]
	w := &s.symbol.window
	active := false
	number := w.first()
	if last, ok := w.lastAt(r.changed); ok {
		number = last + 1
	}
	for ; number < w.end(); number++ {
		reference, ok := s.find(number)
		if !ok {
			continue
		}
		value, oldest, ok := s.value(reference, number)
		if !ok || oldest <= r.changed {
			continue
		}
		if !active {
			active = true
			r.state |= r.fresh()
		}
		switch {
		case r.state&rises != 0 && value >= r.rise():
			alerts = e.cross(alerts, r, number, true, value)
		case r.state&falls != 0 && value <= r.fall():
			alerts = e.cross(alerts, r, number, false, value)
		}
	}
	if active {
		e.enter(n)
	} else {
		s.pending.push(r.changed, n)
	}
	return alerts
}

// Resume brings an engine that is behind up to the present: all that was kept
// and all quotes that were evaluated before have been given back. It appends
// the alerts of rules that were set so shortly before the last quote that
// whoever evaluated it may not have known of them.
func (e *Engine) Resume(alerts []contract.Alert) []contract.Alert {
	e.behind = false
	for _, s := range e.symbols {
		for _, n := range s.rules {
			r := e.rule(n)
			_, known := e.kept[r.id]
			if known || !s.window.empty() && r.changed > s.window.last().time-slack {
				alerts = e.place(alerts, n)
			} else {
				e.series[r.series].pending.push(r.changed, n)
			}
		}
	}
	e.kept = maps.Collect(maps.All(e.kept)) // what is left is little, and a map never shrinks
	return alerts
}

// Reset leaves the rules alone and takes the engine back to before all quotes.
func (e *Engine) Reset() {
	e.behind = true
	clear(e.kept)
	for name, s := range e.symbols {
		if len(s.rules) == 0 {
			delete(e.symbols, name)
			continue
		}
		s.window, s.restored, s.saved, s.parts, s.dirty = window{}, heap[int64]{}, 0, 0, [4]uint64{}
		for _, n := range s.rules {
			r := e.rule(n)
			r.state, r.until = r.state&^moving, never
		}
		for _, n := range s.series {
			series := e.series[n]
			series.cursor, series.pending, series.rising, series.falling = 0, heap[int64]{}, heap[float64]{}, heap[float64]{}
		}
	}
}

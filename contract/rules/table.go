package rules

import (
	"fmt"
	"math"
	"slices"
	"unique"

	"github.com/drydock/drydock/contract"
)

// never is a time before all others.
const never = math.MinInt64

// compile makes the small form of a rule, without its place in an engine.
func compile(r contract.Rule) (made rule, of measure, err error) {
	c := r.Condition
	made = rule{
		hysteresis: c.Hysteresis,
		changed:    nanoseconds(r.Changed),
		expires:    math.MaxInt64,
		until:      never,
		coolDown:   uint32(min(max(r.CoolDown, 0), contract.MaxCoolDown)),
		owner:      unique.Make(r.Owner),
	}
	switch c.Kind {
	case contract.Above:
		of, made.level, made.state = price, c.Price, upward
	case contract.Below:
		of, made.level, made.state = price, c.Price, downward
	case contract.Crosses:
		of, made.level, made.state = price, c.Price, upward|downward
	case contract.Change:
		of, made.level, made.state = change, c.Percent, upward
		if c.Percent < 0 {
			made.state = downward
		}
	case contract.Volume:
		of, made.level, made.state = volume, c.Factor, upward
	default:
		return rule{}, 0, fmt.Errorf("condition kind %.40q is not one of above, below, crosses, change, volume", c.Kind)
	}
	if of != price && (c.Window < 1 || c.Window > contract.MaxWindow) {
		return rule{}, 0, fmt.Errorf("window %d is not 1 to %d seconds", c.Window, contract.MaxWindow)
	}
	if r.Repeat {
		made.state |= repeats
	}
	if !r.Expires.IsZero() {
		made.expires = nanoseconds(r.Expires)
	}
	if r.Active != nil {
		span, err := r.Active.Compile()
		if err != nil {
			return rule{}, 0, err
		}
		made.active = unique.Make(span)
	}
	return made, of, nil
}

func (e *Engine) rule(n uint32) *rule { return &e.rules[n/chunk][n%chunk] }

// number finds room for a rule.
func (e *Engine) number() uint32 {
	if last := len(e.free) - 1; last >= 0 {
		n := e.free[last]
		e.free = e.free[:last]
		return n
	}
	if e.used%chunk == 0 {
		e.rules = append(e.rules, new([chunk]rule))
	}
	e.used++
	return e.used - 1
}

// remove takes a rule out of all there is.
func (e *Engine) remove(n uint32) {
	r := e.rule(n)
	s := e.series[r.series]
	s.pending.remove(n)
	s.rising.remove(n)
	s.falling.remove(n)
	s.symbol.restored.remove(n)
	i := slices.Index(s.symbol.rules, n)
	last := len(s.symbol.rules) - 1
	s.symbol.rules[i] = s.symbol.rules[last]
	s.symbol.rules = s.symbol.rules[:last]
	if s.rules--; s.rules == 0 {
		e.dropSeries(s)
	}
	e.numbers.remove(r.id)
	delete(e.names, r.id)
	*r = rule{}
	e.free = append(e.free, n)
}

func (e *Engine) dropSeries(s *series) {
	i := slices.Index(s.symbol.series, s.number)
	s.symbol.series = slices.Delete(s.symbol.series, i, i+1)
	e.series[s.number] = nil
	e.unused = append(e.unused, s.number)
}

func (e *Engine) symbolOf(name string) *symbol {
	s := e.symbols[name]
	if s == nil {
		s = &symbol{name: name}
		e.symbols[name] = s
	}
	return s
}

// seriesOf finds or makes the series of a measure and a span.
func (e *Engine) seriesOf(s *symbol, of measure, span int64) *series {
	for _, n := range s.series {
		if found := e.series[n]; found.measure == of && found.span == span {
			return found
		}
	}
	made := &series{symbol: s, measure: of, span: span}
	if last := len(e.unused) - 1; last >= 0 {
		made.number = e.unused[last]
		e.unused = e.unused[:last]
		e.series[made.number] = made
	} else {
		made.number = uint32(len(e.series))
		e.series = append(e.series, made)
	}
	s.series = append(s.series, made.number)
	return made
}

// name is the ID of an identity.
func (e *Engine) name(id identity) string {
	if name, ok := e.names[id]; ok {
		return name
	}
	return identifiers.EncodeToString(id[:])
}

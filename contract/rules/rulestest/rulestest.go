// Package rulestest is the plain model that package rules and the whole flow
// of alerts are held against: it goes over all quotes for each rule, and looks
// back over all of them for each value.
package rulestest

import (
	"time"

	"github.com/drydock/drydock/contract"
)

// Expected returns the alerts that a rule fires on the quotes, which are in the
// order of their arrival; those of other symbols mean nothing to it.
func Expected(r contract.Rule, quotes []contract.Quote) (alerts []contract.Alert) {
	c := r.Condition
	if r.Paused {
		return nil
	}
	level := map[string]float64{contract.Change: c.Percent, contract.Volume: c.Factor}[c.Kind]
	if level == 0 {
		level = c.Price
	}
	falling := c.Kind == contract.Below || c.Kind == contract.Change && c.Percent < 0
	var seen []contract.Quote // of the symbol, since the rule was set
	var last, fired time.Time // of the symbol, of the rule
	armed, side := true, 0
	for _, q := range quotes {
		if q.Symbol != r.Symbol || !q.Time.After(last) {
			continue
		}
		last = q.Time
		if !q.Time.After(r.Changed) {
			continue
		}
		seen = append(seen, q)
		value, ok := valueOf(c, seen)
		if !ok {
			continue
		}
		crossing := false
		switch {
		case c.Kind == contract.Crosses:
			now := side
			if value > level && value >= level+c.Hysteresis {
				now = 1
			} else if value < level && value <= level-c.Hysteresis {
				now = -1
			}
			crossing = side != 0 && now != side
			side = now
		case falling && armed && value <= level, !falling && armed && value >= level:
			crossing, armed = true, false
		case falling && value > level && value >= level+c.Hysteresis, !falling && value < level && value <= level-c.Hysteresis:
			armed = true
		}
		if !crossing || !r.Expires.IsZero() && !q.Time.Before(r.Expires) {
			continue
		}
		if r.Active != nil {
			if span, _ := r.Active.Compile(); !span.Contains(q.Time) {
				continue
			}
		}
		if !fired.IsZero() && q.Time.Sub(fired) < time.Duration(r.CoolDown)*time.Second {
			continue
		}
		fired = q.Time
		alerts = append(alerts, contract.Alert{
			ID: contract.AlertID(r.ID, q.Time), Rule: r.ID, Owner: r.Owner, Symbol: r.Symbol, Kind: c.Kind,
			Price: q.Price, Volume: q.Volume, Time: q.Time, Level: level, Value: value,
		})
		if !r.Repeat {
			return alerts
		}
	}
	return alerts
}

// valueOf is what the condition looks at, at the last of the quotes.
func valueOf(c contract.Condition, seen []contract.Quote) (float64, bool) {
	now := seen[len(seen)-1]
	if c.Window == 0 {
		return now.Price, true
	}
	horizon := now.Time.Add(-time.Duration(c.Window) * time.Second)
	var reference *contract.Quote
	sum, count := 0.0, 0
	for i, q := range seen[:len(seen)-1] {
		if q.Time.After(horizon) {
			sum += q.Volume
			count++
		} else {
			reference = &seen[i]
		}
	}
	switch {
	case reference == nil:
		return 0, false
	case c.Kind == contract.Change:
		return 100 * (now.Price - reference.Price) / reference.Price, true
	case sum == 0:
		return 0, false
	}
	return now.Volume / (sum / float64(count)), true
}

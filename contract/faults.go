package contract

import (
	"fmt"
	"math"
	"net/mail"
	"net/url"
	"slices"
	"strings"
)

// Fault is something about a rule that cannot be.
type Fault struct {
	Field   string // where in the rule's document, as "condition.price"
	Problem string // for people
}

// Faults are the error of a rule that cannot be: everything that is wrong with it.
type Faults []Fault

// Error implements error: a line each.
func (f Faults) Error() string {
	var lines []string
	for _, fault := range f {
		lines = append(lines, fault.Problem)
	}
	return strings.Join(lines, "\n")
}

func (f *Faults) add(field, format string, values ...any) {
	*f = append(*f, Fault{Field: field, Problem: fmt.Sprintf(format, values...)})
}

// Check returns the Faults of a rule; nil when it has none.
func (r Rule) Check() error {
	var faults Faults
	if !ValidSymbol(r.Symbol) {
		faults.add("symbol", "symbol %.40q is not 1 to 32 letters, digits and . ^ = _ : / -", r.Symbol)
	}
	faults = append(faults, r.Condition.faults()...)
	if r.CoolDown < 0 || r.CoolDown > MaxCoolDown {
		faults.add("cool_down", "cool_down %d is not 0 to %d seconds", r.CoolDown, MaxCoolDown)
	}
	if len(r.Note) > MaxNote {
		faults.add("note", "the note has %d bytes, more than %d", len(r.Note), MaxNote)
	}
	if r.Active != nil {
		if _, err := r.Active.Compile(); err != nil {
			faults.add("active", "%v", err)
		}
	}
	faults = append(faults, r.Channel.faults()...)
	if len(faults) == 0 {
		return nil
	}
	return faults
}

func (c Condition) faults() (faults Faults) {
	uses := map[string][]string{
		Above: {"price"}, Below: {"price"}, Crosses: {"price"},
		Change: {"percent", "window"}, Volume: {"factor", "window"},
	}[c.Kind]
	if uses == nil {
		faults.add("condition.kind", "condition kind %.40q is not one of above, below, crosses, change, volume", c.Kind)
	}
	for _, part := range []struct {
		name  string
		value float64
	}{{"price", c.Price}, {"percent", c.Percent}, {"factor", c.Factor}, {"window", float64(c.Window)}} {
		name, value := part.name, part.value
		used := slices.Contains(uses, name)
		switch {
		case uses == nil:
		case !used && value != 0:
			faults.add("condition."+name, "%s means nothing to the condition %s", name, c.Kind)
		case used && (value == 0 || math.IsNaN(value) || math.IsInf(value, 0)):
			faults.add("condition", "the condition %s needs a %s", c.Kind, name)
		case used && value < 0 && name != "percent":
			faults.add("condition."+name, "%s %v is not more than 0", name, value)
		case used && name == "percent" && value <= -100:
			faults.add("condition."+name, "percent %v is a fall by all there is: it takes more than -100", value)
		}
	}
	if c.Window > MaxWindow {
		faults.add("condition.window", "window %d is more than %d seconds", c.Window, MaxWindow)
	}
	if !(c.Hysteresis >= 0) || math.IsInf(c.Hysteresis, 0) {
		faults.add("condition.hysteresis", "hysteresis %v is not zero or more", c.Hysteresis)
	}
	return faults
}

func (c Channel) faults() (faults Faults) {
	switch c.Kind {
	case Email:
		address, err := mail.ParseAddress(c.Address)
		if err != nil || address.Address != c.Address {
			faults.add("channel.address", "channel: %.80q is not a plain e-mail address", c.Address)
		}
	case Webhook:
		u, err := url.Parse(c.Address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			faults.add("channel.address", "channel: %.80q is not an http or https URL without user and password", c.Address)
		}
	default:
		faults.add("channel.kind", "channel kind %.40q is not email or webhook", c.Kind)
	}
	return faults
}

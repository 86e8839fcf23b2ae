package market

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/drydock/drydock/contract"
)

// Kinds of Event. The first four change the quotes, the others the answers.
const (
	Spike       = "spike"        // the price rises by a percentage, stays, and comes back within For
	Crash       = "crash"        // the price falls by a percentage over For, and goes on from there
	Gap         = "gap"          // the price jumps from one quote to the next; back after For, if given
	Halt        = "halt"         // there are no quotes
	Duplicate   = "duplicate"    // every quote is given twice
	OutOfOrder  = "out_of_order" // quotes are overtaken by later ones; history comes newest first
	FeedDown    = "feed_down"    // requests get 503, or are cut; streams are cut
	RateLimited = "rate_limited" // requests get 429 until it is over
	Slow        = "slow"         // answers come after Delay
)

const (
	maxEvents  = 1000
	maxScript  = 1 << 20 // bytes
	maxFor     = 366 * 24 * time.Hour
	maxDelay   = 10 * time.Minute
	maxPercent = 10_000
)

// Event is something that happens to the market or to its feed, from At until
// For later.
type Event struct {
	// ID is made from what the event is: adding it again changes nothing.
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// Symbol is whose quotes it is about; empty: everyone's. Requests for several
	// symbols meet the events of each.
	Symbol string    `json:"symbol,omitempty"`
	At     time.Time `json:"at,omitzero"`
	// After takes the place of At: so long after the event is added. Without
	// either the event begins at once.
	After Duration `json:"after,omitempty"`
	// For is how long it lasts: up to 366 days. A gap may do without.
	For Duration `json:"for,omitempty"`
	// Percent is how far the price goes: up in a spike, down in a crash (less
	// than 100), either way in a gap (more than -100).
	Percent float64 `json:"percent,omitempty"`
	// Cut makes a feed_down close connections without an answer.
	Cut bool `json:"cut,omitempty"`
	// Delay of a slow feed, up to 10 minutes.
	Delay Duration `json:"delay,omitempty"`
}

// Duration is written in JSON as "1m30s".
type Duration time.Duration

func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%.40q is not a duration such as 90s or 1h30m", text)
	}
	*d = Duration(parsed)
	return nil
}

// check returns an error that says what about the event cannot be.
func (e Event) check() error {
	moves := e.Kind == Spike || e.Kind == Crash || e.Kind == Gap
	switch e.Kind {
	case Spike, Crash, Gap, Halt, Duplicate, OutOfOrder, FeedDown, RateLimited, Slow:
	default:
		return fmt.Errorf("kind %.40q is not one of spike, crash, gap, halt, duplicate, out_of_order, feed_down, rate_limited, slow", e.Kind)
	}
	switch {
	case e.Symbol != "" && !contract.ValidSymbol(e.Symbol):
		return fmt.Errorf("symbol %.40q is not 1 to 32 letters, digits and . ^ = _ : / -", e.Symbol)
	case e.After != 0 && !e.At.IsZero():
		return errors.New("at and after are both given; give one of them")
	case e.After < 0 || time.Duration(e.After) > maxFor:
		return fmt.Errorf("after %v is not between 0s and %v", time.Duration(e.After), maxFor)
	case !e.At.IsZero() && (e.At.Before(earliest) || e.At.After(latest.Add(-maxFor))):
		return fmt.Errorf("at %v is not between 1970 and 2198", e.At)
	case e.For == 0 && e.Kind != Gap:
		return fmt.Errorf("a %s needs for, how long it lasts", e.Kind)
	case e.For < 0 || time.Duration(e.For) > maxFor:
		return fmt.Errorf("for %v is not between 0s and %v", time.Duration(e.For), maxFor)
	case !moves && e.Percent != 0:
		return fmt.Errorf("percent means nothing to a %s", e.Kind)
	case e.Kind == Spike && !(e.Percent > 0 && e.Percent <= maxPercent):
		return fmt.Errorf("percent %v of a spike is not more than 0 and at most %d", e.Percent, maxPercent)
	case e.Kind == Crash && !(e.Percent > 0 && e.Percent < 100):
		return fmt.Errorf("percent %v of a crash is not more than 0 and less than 100", e.Percent)
	case e.Kind == Gap && (!(e.Percent > -100 && e.Percent <= maxPercent) || e.Percent == 0):
		return fmt.Errorf("percent %v of a gap is not more than -100 and at most %d, and not 0", e.Percent, maxPercent)
	case e.Cut && e.Kind != FeedDown:
		return fmt.Errorf("cut means nothing to a %s", e.Kind)
	case e.Delay != 0 && e.Kind != Slow:
		return fmt.Errorf("delay means nothing to a %s", e.Kind)
	case e.Kind == Slow && (e.Delay <= 0 || time.Duration(e.Delay) > maxDelay):
		return fmt.Errorf("delay %v of a slow is not more than 0s and at most %v", time.Duration(e.Delay), maxDelay)
	}
	return nil
}

// settled is the event with its time and its ID.
func (e Event) settled(now time.Time) Event {
	if e.At.IsZero() {
		e.At = now.Add(time.Duration(e.After))
	}
	e.At, e.After, e.ID = e.At.UTC(), 0, ""
	content, _ := json.Marshal(e) // its fields can all be written
	sum := sha256.Sum256(content)
	e.ID = hex.EncodeToString(sum[:8])
	return e
}

func (e Event) span() span {
	begin := e.At.UnixNano()
	return span{begin, begin + int64(e.For)}
}

// factor is what the event multiplies the price by at a time.
func (e Event) factor(at int64) float64 {
	s := e.span()
	if at < s.begin {
		return 1
	}
	change := e.Percent / 100
	passed := float64(at-s.begin) / float64(s.end-s.begin) // infinite or no number for a gap that stays
	switch e.Kind {
	case Crash:
		return 1 - change*min(passed, 1)
	case Spike:
		if passed >= 1 {
			return 1
		}
		return 1 + change*min(1, 4*passed, 4*(1-passed))
	default:
		if e.For > 0 && passed >= 1 {
			return 1
		}
		return 1 + change
	}
}

// about tells whether the event concerns a request for symbols; none is a
// request for no symbol in particular.
func (e Event) about(symbols []string) bool {
	return e.Symbol == "" || slices.Contains(symbols, e.Symbol)
}

// parseEvents reads one event or an array of them.
func parseEvents(data []byte) ([]Event, error) {
	var events []Event
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var err error
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		err = decoder.Decode(&events)
	} else {
		events = make([]Event, 1)
		err = decoder.Decode(&events[0])
	}
	if err == nil {
		if _, extra := decoder.Token(); !errors.Is(extra, io.EOF) {
			err = errors.New("there is more after the first value; give an array for several events")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return events, nil
}

func readScript(file string) ([]Event, error) {
	data, err := readBounded(file, maxScript)
	if err != nil {
		return nil, err
	}
	return parseEvents(data)
}

// readBounded reads a file of at most so many bytes.
func readBounded(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s has more than %d bytes", file, most)
	}
	return data, err
}

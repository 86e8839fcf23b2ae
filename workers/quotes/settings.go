package quotes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// Names of the environment variables that Settings are read from.
const (
	VariableSymbols  = "DRYDOCK_SYMBOLS"
	VariableEvery    = "DRYDOCK_EVERY"
	VariableCron     = "DRYDOCK_CRON"
	VariableTimeZone = "DRYDOCK_TIME_ZONE"
	VariableMissed   = "DRYDOCK_MISSED"
	VariableBackfill = "DRYDOCK_BACKFILL"
)

// Missed is what becomes of the quotes of the ticks that nobody could answer.
type Missed string

// Policies for what was missed.
const (
	CatchUp Missed = "catch_up" // all of it is read from the vendor's history and published
	Skip    Missed = "skip"     // only the latest price is published
)

const (
	defaultEvery = 5 * time.Second
	// keepSkipped is how long a tick of a cron schedule waits when what is missed is skipped.
	keepSkipped = time.Minute
	maxBackfill = 366 * 24 * time.Hour
)

// Settings are what the environment says about polling.
type Settings struct {
	Symbols  []string // to poll; all that the vendor names when empty
	Missed   Missed
	Backfill time.Duration // of history, for a symbol that is polled for the first time
	// When to poll, as cloud.Schedule says it.
	Every          time.Duration
	Cron, TimeZone string
}

// ReadSettings reads the variables. An error names the one that is wrong.
func ReadSettings(getenv func(string) string) (Settings, error) {
	s := Settings{Missed: Missed(getenv(VariableMissed)), Cron: getenv(VariableCron), TimeZone: getenv(VariableTimeZone)}
	wrong := func(variable, takes string) (Settings, error) {
		return Settings{}, fmt.Errorf("%s=%.60q: it takes %s", variable, getenv(variable), takes)
	}
	switch s.Missed {
	case "":
		s.Missed = CatchUp
	case CatchUp, Skip:
	default:
		return wrong(VariableMissed, "catch_up or skip")
	}
	var err error
	if text := getenv(VariableBackfill); text != "" {
		if s.Backfill, err = time.ParseDuration(text); err != nil || s.Backfill < 0 || s.Backfill > maxBackfill {
			return wrong(VariableBackfill, "a duration up to 8784h, as 24h")
		}
		if s.Missed == Skip && s.Backfill > 0 {
			return Settings{}, fmt.Errorf("%s is set, but %s=skip publishes no history: leave one of them out", VariableBackfill, VariableMissed)
		}
	}
	switch every := getenv(VariableEvery); {
	case every != "" && s.Cron != "":
		return Settings{}, fmt.Errorf("%s and %s are both set: leave one of them out", VariableEvery, VariableCron)
	case every != "":
		if s.Every, err = time.ParseDuration(every); err != nil || s.Every < time.Second {
			return wrong(VariableEvery, "a duration of at least 1s, as 5s")
		}
	case s.Cron == "":
		s.Every = defaultEvery
	}
	if s.TimeZone != "" && s.Cron == "" {
		return Settings{}, fmt.Errorf("%s is set without %s, which it is for", VariableTimeZone, VariableCron)
	}
	if s.Symbols, err = readSymbols(getenv(VariableSymbols)); err != nil {
		return Settings{}, err
	}
	return s, nil
}

func readSymbols(text string) ([]string, error) {
	if text == "" || text == "*" {
		return nil, nil
	}
	var symbols []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if !contract.ValidSymbol(name) {
			return nil, fmt.Errorf("%s: %.40q is not a symbol: it takes * or names joined by commas", VariableSymbols, name)
		}
		symbols = append(symbols, name)
	}
	slices.Sort(symbols)
	if symbols = slices.Compact(symbols); len(symbols) > MaxSymbols {
		return nil, fmt.Errorf("%s has %d symbols: it takes at most %d", VariableSymbols, len(symbols), MaxSymbols)
	}
	return symbols, nil
}

// Schedule is what makes the worker's ticks. When what is missed is skipped, a
// tick that nobody takes is gone when the next one comes.
func (s Settings) Schedule() cloud.Schedule {
	schedule := cloud.Schedule{
		Name: Name, Every: s.Every, Cron: s.Cron, TimeZone: s.TimeZone,
		Type: "dev.drydock.quotes.tick", Source: source,
	}
	if s.Missed == Skip {
		schedule.Keep = keepSkipped
		if s.Every > 0 {
			schedule.Keep = s.Every
		}
	}
	return schedule
}

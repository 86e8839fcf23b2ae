package market

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/drydock/drydock/contract"
)

const (
	bookFile    = "market.json"
	maxBook     = 16 << 20 // bytes
	maxInjected = 10_000   // quotes
)

var (
	// errFull says that a bound on what is kept is met.
	errFull = errors.New("the feed keeps no more")
	// errNotKept says that the disk did not take a change.
	errNotKept = errors.New("keep events and quotes")
	// errNoEvent says that there is no event of an ID.
	errNoEvent = errors.New("there is no such event")
)

// book is what was done to a market. It never changes: another takes its place.
type book struct {
	started  time.Time                   // when the feed started first
	events   []Event                     // by time, then ID
	injected map[string][]contract.Quote // by symbol, then time
	replaced chan struct{}               // closed when another has taken its place
}

// document is how a book is kept.
type document struct {
	Started time.Time        `json:"started"`
	Events  []Event          `json:"events"`
	Quotes  []contract.Quote `json:"quotes"`
}

// openBook reads the one that is kept, or begins one.
func (m *Market) openBook() error {
	kept := document{Started: time.Now().UTC().Truncate(m.options.Interval)}
	if m.options.Dir != "" {
		if err := os.MkdirAll(m.options.Dir, 0o700); err != nil {
			return err
		}
		file := filepath.Join(m.options.Dir, bookFile)
		data, err := readBounded(file, maxBook)
		if err == nil {
			err = json.Unmarshal(data, &kept)
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		for i, e := range kept.Events {
			err = cmp.Or(err, e.check())
			kept.Events[i] = e.settled(kept.Started)
		}
		for _, q := range kept.Quotes {
			err = cmp.Or(err, checkInjected(q, latest))
		}
		if err != nil {
			return fmt.Errorf("read events and quotes kept in %s: %w; remove the file to begin without", file, err)
		}
	}
	b := &book{started: kept.Started, events: kept.Events, injected: map[string][]contract.Quote{}, replaced: make(chan struct{})}
	for _, q := range kept.Quotes {
		b.injected[q.Symbol] = inserted(b.injected[q.Symbol], q)
	}
	m.book = b
	return m.keep(b)
}

// keep writes a book to the folder, whole or not at all.
func (m *Market) keep(b *book) error {
	if m.options.Dir == "" {
		return nil
	}
	kept := document{Started: b.started, Events: b.events, Quotes: []contract.Quote{}}
	for _, symbol := range slices.Sorted(maps.Keys(b.injected)) {
		kept.Quotes = append(kept.Quotes, b.injected[symbol]...)
	}
	data, err := json.MarshalIndent(kept, "", " ")
	if err != nil {
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	file := filepath.Join(m.options.Dir, bookFile)
	if err := writeSynced(file+".new", data); err != nil {
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	return nil
}

func writeSynced(file string, data []byte) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// now is what holds at this moment: no later change of the book is about an
// earlier time unless it says so.
func (m *Market) now() (*book, int64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.book, time.Now().UnixNano()
}

// change replaces the book by what edit makes of a copy, once that is kept.
func (m *Market) change(edit func(b *book, now time.Time) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.book
	b := &book{
		started:  old.started,
		events:   slices.Clone(old.events),
		injected: maps.Clone(old.injected),
		replaced: make(chan struct{}),
	}
	if err := edit(b, time.Now().UTC()); err != nil {
		return err
	}
	if err := m.keep(b); err != nil {
		return err
	}
	m.book = b
	close(old.replaced)
	return nil
}

// Add scripts events, all or none, and returns them with their times and IDs.
// Those that are there already stay as they are. An event about a symbol that
// is not there is an *UnknownSymbolError.
func (m *Market) Add(events ...Event) ([]Event, error) {
	if len(events) > maxEvents {
		return nil, fmt.Errorf("%w than %d events; give fewer", errFull, maxEvents)
	}
	added := make([]Event, len(events))
	err := m.change(func(b *book, now time.Time) error {
		for i, e := range events {
			if err := e.check(); err != nil {
				return fmt.Errorf("event %d: %w", i+1, err)
			}
			if _, ok := m.series[e.Symbol]; !ok && e.Symbol != "" {
				return fmt.Errorf("event %d: %w", i+1, &UnknownSymbolError{Symbols: []string{e.Symbol}})
			}
			e = e.settled(now)
			added[i] = e
			if !slices.ContainsFunc(b.events, func(other Event) bool { return other.ID == e.ID }) {
				b.events = append(b.events, e)
			}
		}
		if len(b.events) > maxEvents {
			return fmt.Errorf("%w than %d events; delete some", errFull, maxEvents)
		}
		slices.SortFunc(b.events, func(a, b Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

// Inject adds a quote and returns it: at its time, which may not lie ahead, or
// now when it has none. The symbol's price goes on from there. Another quote of
// the same time is replaced. A symbol that is not there is an *UnknownSymbolError.
func (m *Market) Inject(q contract.Quote) (contract.Quote, error) {
	if _, ok := m.series[q.Symbol]; !ok {
		return contract.Quote{}, &UnknownSymbolError{Symbols: []string{q.Symbol}}
	}
	err := m.change(func(b *book, now time.Time) error {
		if q.Time.IsZero() {
			q.Time = now
		}
		q.Time = q.Time.UTC()
		if err := checkInjected(q, now); err != nil {
			return err
		}
		b.injected[q.Symbol] = inserted(b.injected[q.Symbol], q)
		count := 0
		for _, quotes := range b.injected {
			count += len(quotes)
		}
		if count > maxInjected {
			return fmt.Errorf("%w than %d injected quotes; begin with another folder", errFull, maxInjected)
		}
		return nil
	})
	return q, err
}

// checkInjected returns an error that says what about an injected quote cannot be.
func checkInjected(q contract.Quote, until time.Time) error {
	switch {
	case q.Time.Before(earliest) || q.Time.After(until):
		return fmt.Errorf("quote of %s: time %s is not between 1970 and now", q.Symbol, q.Time.Format(time.RFC3339Nano))
	case q.Price > mostPrice || q.Volume > mostVolume:
		return fmt.Errorf("quote of %s: price %v or volume %v is more than %g", q.Symbol, q.Price, q.Volume, mostPrice)
	}
	return q.Check()
}

// inserted is a copy of the quotes with one more, in order of time.
func inserted(quotes []contract.Quote, q contract.Quote) []contract.Quote {
	i, same := slices.BinarySearchFunc(quotes, q.Time, func(q contract.Quote, at time.Time) int { return q.Time.Compare(at) })
	quotes = slices.Clone(quotes)
	if same {
		quotes[i] = q
		return quotes
	}
	return slices.Insert(quotes, i, q)
}

// remove makes an event never have been.
func (m *Market) remove(id string) error {
	return m.change(func(b *book, _ time.Time) error {
		before := len(b.events)
		b.events = slices.DeleteFunc(b.events, func(e Event) bool { return e.ID == id })
		if len(b.events) == before {
			return errNoEvent
		}
		return nil
	})
}

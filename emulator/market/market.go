package market

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/drydock/drydock/contract"
)

const (
	headerWait = 10 * time.Second
	idleWait   = 2 * time.Minute
	closeWait  = 5 * time.Second // for requests under way
	maxHeader  = 64 << 10        // bytes
)

// Options configure a Market; the zero value is a feed of the made-up symbols.
type Options struct {
	// Dir keeps events, injected quotes and the start of the replay over
	// restarts; it is made when absent, and one Market at a time can have it.
	// Empty: nothing is kept.
	Dir string
	// Port on 127.0.0.1; 0 picks a free one. New does not listen.
	Port int
	// Seed decides the quotes of the made-up symbols.
	Seed uint64
	// Interval is from one quote of a made-up symbol to the next: 1 ms to 1 day.
	// Default 1 s.
	Interval time.Duration
	// Rate is how many requests a second a client may make, default 20; negative
	// is without a limit. Burst is how many it may make at once, default 2 × Rate.
	// A client is its Authorization header, or without one its address.
	Rate  float64
	Burst int
	// Script is a file of events, as POST /v1/events takes them. Each is added
	// unless it is known already; the times of those that say after begin anew.
	Script string
	// CSV are files, or folders with files *.csv, of recorded quotes to replay.
	CSV []string
	// Speed is how fast the recording is replayed: 1 is as recorded, 60 a minute
	// per second. From more than 0 to 1,000,000; default 1.
	Speed float64
	// ReplayFrom is the recorded time that is played when the feed starts first;
	// earlier rows are history. Default: that of the earliest row.
	ReplayFrom time.Time
	// Logger gets what no client can be told; nil drops it.
	Logger *slog.Logger
}

// Symbol is what can be asked for.
type Symbol struct {
	Symbol string `json:"symbol"`
	Name   string `json:"name"`
}

// Market is a feed. Its methods may be called from any goroutine.
type Market struct {
	options Options
	series  map[string]series
	symbols []Symbol // by symbol
	limits  *limits

	mu   sync.RWMutex
	book *book

	server *http.Server
	url    string
	served chan struct{} // closed when the server has ended
}

// New makes a feed that does not listen: its Handler answers. It needs no Close.
func New(o Options) (*Market, error) {
	m, err := open(o)
	if err != nil {
		return nil, fmt.Errorf("open market feed: %w", err)
	}
	return m, nil
}

// Start makes a feed that listens. The caller closes it.
func Start(o Options) (*Market, error) {
	m, err := New(o)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)))
	if err != nil {
		return nil, fmt.Errorf("start market feed: %w", err)
	}
	m.url = "http://" + listener.Addr().String()
	base, stop := context.WithCancel(context.Background())
	m.server = &http.Server{
		Handler:           m.Handler(),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: headerWait,
		IdleTimeout:       idleWait,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(m.options.Logger.Handler(), slog.LevelWarn),
	}
	m.server.RegisterOnShutdown(stop) // streams would never end by themselves
	m.served = make(chan struct{})
	go func() {
		defer close(m.served)
		_ = m.server.Serve(listener) // it ends by Close alone
	}()
	return m, nil
}

// URL is where the API answers; empty for a feed that does not listen.
func (m *Market) URL() string { return m.url }

// Close ends the streams, lets other requests finish for a moment, and stops
// listening. It may be called twice.
func (m *Market) Close() error {
	if m.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	err := m.server.Shutdown(ctx)
	if err != nil {
		err = m.server.Close()
	}
	<-m.served
	return err
}

func open(o Options) (*Market, error) {
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.Rate == 0 {
		o.Rate = 20
	}
	if o.Burst == 0 {
		o.Burst = max(1, int(math.Ceil(2*o.Rate)))
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	switch {
	case o.Interval < time.Millisecond || o.Interval > 24*time.Hour:
		return nil, fmt.Errorf("interval %v is not between 1ms and 24h", o.Interval)
	case !(o.Speed > 0 && o.Speed <= 1e6):
		return nil, fmt.Errorf("speed %v is not more than 0 and at most 1000000", o.Speed)
	case math.IsNaN(o.Rate):
		return nil, errors.New("rate is not a number")
	}
	m := &Market{options: o, series: map[string]series{}, limits: newLimits(o.Rate, o.Burst)}
	names := map[string]string{}
	for _, c := range companies {
		m.series[c.symbol] = newGenerated(o.Seed, o.Interval, c)
		names[c.symbol] = c.name
	}
	recording, err := readRecordings(o.CSV)
	if err != nil {
		return nil, err
	}
	if err := m.openBook(); err != nil {
		return nil, err
	}
	for symbol, rows := range recording {
		from := o.ReplayFrom
		if from.IsZero() {
			from = recording.begin()
		}
		m.series[symbol] = replay(rows, from, m.book.started, o.Speed)
		names[symbol] = symbol
	}
	for _, symbol := range slices.Sorted(maps.Keys(names)) {
		m.symbols = append(m.symbols, Symbol{Symbol: symbol, Name: names[symbol]})
	}
	if o.Script == "" {
		return m, nil
	}
	events, err := readScript(o.Script)
	if err == nil {
		_, err = m.Add(events...)
	}
	if err != nil {
		return nil, fmt.Errorf("script %s: %w", o.Script, err)
	}
	return m, nil
}

// Symbols are those that the feed has, in order.
func (m *Market) Symbols() []Symbol { return slices.Clone(m.symbols) }

// History returns the quotes of the symbols after from and up to to: each
// once, ascending by time, ties by symbol, whatever the feed's own events do to
// the answers. To may lie ahead: it returns what will be quoted unless events
// or quotes are added. A symbol that is not there is an *UnknownSymbolError.
func (m *Market) History(symbols []string, from, to time.Time) ([]contract.Quote, error) {
	m.mu.RLock()
	b := m.book
	m.mu.RUnlock()
	tapes, err := m.tapes(b, symbols)
	if err != nil {
		return nil, err
	}
	quotes, _ := page(tapes, nanoseconds(from), nanoseconds(to), math.MaxInt, 0)
	return quotes, nil
}

// UnknownSymbolError names symbols that the feed does not have.
type UnknownSymbolError struct{ Symbols []string }

func (e *UnknownSymbolError) Error() string {
	return fmt.Sprintf("there is no symbol %q; GET /v1/symbols lists those that there are", e.Symbols)
}

// tapes are those of the symbols, in order and each once.
func (m *Market) tapes(b *book, symbols []string) ([]*tape, error) {
	var tapes []*tape
	var unknown []string
	for _, symbol := range slices.Compact(slices.Sorted(slices.Values(symbols))) {
		s, ok := m.series[symbol]
		if !ok {
			unknown = append(unknown, symbol)
			continue
		}
		tapes = append(tapes, newTape(symbol, s, b))
	}
	if unknown != nil {
		return nil, &UnknownSymbolError{Symbols: unknown}
	}
	return tapes, nil
}

// earliest and latest are the times that can be counted in nanoseconds, with room to spare.
var (
	earliest = time.Unix(0, 0).UTC()
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// nanoseconds counts them from 1970 on; times out of range become the nearest in range.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return 0
	case t.After(latest):
		return latest.UnixNano()
	}
	return t.UnixNano()
}

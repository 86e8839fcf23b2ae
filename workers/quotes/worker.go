// Package quotes is the worker that brings the market's prices onto the bus:
// at each tick of its schedule it asks the vendor and publishes every price
// that is new, once, in the order of the market's time for each symbol. The
// role quotes of the program drydock runs it.
//
// What it published last of each symbol is kept in records. A crash between
// publishing and taking note of it publishes the same quotes again, with the
// same IDs: the bus drops them, or readers see that they are not newer.
package quotes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/market"
	"github.com/drydock/drydock/workers/runner"
)

const (
	// Name is that of the schedule and of the durable consumer of its ticks.
	Name = "quotes"

	// MaxSymbols is how many symbols one market may have.
	MaxSymbols = 10_000

	symbolsKeep     = time.Minute // for what the vendor names
	historiesAtOnce = 4
)

// Options configure a worker. Bus, Records and Market must be given.
type Options struct {
	Bus     cloud.Bus
	Records cloud.Records // of contract.QuotesCollection
	Market  *market.Client
	Settings
	Logger     *slog.Logger          // slog.Default() when nil
	Registerer prometheus.Registerer // nil counts nothing
	Runner     *runner.Metrics       // nil counts nothing
	Drain      time.Duration         // see runner.Options
	Subscribed func()                // called once ticks can come; nil tells nobody
}

// Worker polls the market.
type Worker struct {
	Options
	metrics *metrics

	away atomic.Pointer[error] // why the vendor cannot be reached; nil while it can

	// One tick is handled at a time.
	symbols []string
	named   time.Time // when the vendor named them
	polled  time.Time // when the last poll that came to its end began
}

// New makes a worker and says what it is going to do.
func New(o Options) *Worker {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	w := &Worker{Options: o, metrics: newMetrics(o.Registerer)}
	if !o.Market.HasHistory() && (o.Missed == CatchUp || o.Backfill > 0) {
		o.Logger.Warn("the vendor has no history: what is missed cannot be caught up, and only the latest prices are published")
	}
	return w
}

// dependency is how the runner names the vendor.
const dependency = "market"

// Run handles the ticks of the schedule until the context ends.
func (w *Worker) Run(ctx context.Context) error {
	return runner.Run(ctx, runner.Options{
		Bus: w.Bus, Name: Name, Topic: cloud.ScheduleTopic(Name), Handler: w,
		MaxInFlight:  1, // one poll at a time, over all instances: it keeps the order of the quotes
		Dependencies: []runner.Dependency{{Name: dependency, Check: w.reach}},
		Subscribed:   w.Subscribed,
		Drain:        w.Drain, Logger: w.Logger, Metrics: w.Runner,
	})
}

// Ready returns why the vendor cannot be reached, from the poll that found it so
// until it answers again. It does not ask the vendor, who counts requests.
func (w *Worker) Ready(context.Context) error {
	if away := w.away.Load(); away != nil {
		return *away
	}
	return nil
}

// reach asks the vendor whether it is back.
func (w *Worker) reach(ctx context.Context) error {
	err := w.Market.Ready(ctx)
	if err == nil {
		w.away.Store(nil)
	}
	return err
}

// Handle implements runner.Handler for the ticks. A tick that was due before
// a poll that has been done is done too: that poll caught up with it.
func (w *Worker) Handle(ctx context.Context, tick cloud.Event) error {
	if !tick.Time.After(w.polled) {
		return nil
	}
	began := time.Now()
	err := w.poll(ctx)
	w.metrics.polls.Observe(time.Since(began).Seconds())
	if err == nil {
		w.polled = began
	}
	return err
}

// GiveUp implements runner.Handler: nobody waits for a tick.
func (w *Worker) GiveUp(context.Context, cloud.Event, error) error { return nil }

// soon is the longest pause between ticks with which one that the vendor
// answers badly is left to the next.
const soon = time.Minute

// classify tells the runner what to do about the vendor's failure.
func (w *Worker) classify(err error) error {
	var limited *market.RateLimitedError
	var unavailable *market.UnavailableError
	switch {
	case err == nil:
		w.away.Store(nil)
		return nil
	case errors.As(err, &limited):
		return runner.RetryAfter(err, limited.RetryAfter)
	case errors.As(err, &unavailable):
		w.away.Store(&err)
		return runner.Unavailable(dependency, err)
	case vendors(err) && w.Every > 0 && w.Every <= soon:
		return runner.Drop(err)
	}
	return err
}

// vendors tells whether it is the vendor who is to blame.
func vendors(err error) bool {
	var answer *market.AnswerError
	var refused *market.RefusedError
	return errors.As(err, &answer) || errors.As(err, &refused)
}

// poll publishes what is new. It publishes what it can also when it fails.
func (w *Worker) poll(ctx context.Context) error {
	symbols, err := w.wanted(ctx)
	if err != nil {
		return w.classify(err)
	}
	publisher, err := w.newPublisher(ctx)
	if err != nil {
		return err
	}
	latest, err := w.Market.Latest(publisher.ctx, symbols)
	if w.Missed == CatchUp && w.Market.HasHistory() {
		err = errors.Join(err, w.catchUp(publisher, latest))
	} else {
		for _, quote := range latest {
			publisher.publish(quote)
		}
	}
	if err := publisher.close(); err != nil {
		return err
	}
	return w.classify(err)
}

// wanted returns the symbols to poll: those that are chosen of those that the
// vendor names. One that it does not know would spoil the requests of others.
func (w *Worker) wanted(ctx context.Context) ([]string, error) {
	if !w.named.IsZero() && time.Since(w.named) < symbolsKeep {
		return w.symbols, nil
	}
	symbols, err := w.Market.Symbols(ctx)
	if err != nil {
		return nil, err
	}
	if len(w.Symbols) > 0 {
		var unknown []string
		for _, symbol := range w.Symbols {
			if _, found := slices.BinarySearch(symbols, symbol); !found {
				unknown = append(unknown, symbol)
			}
		}
		if len(unknown) > 0 {
			w.Logger.Warn("the vendor does not have all symbols of "+VariableSymbols, "missing", unknown)
		}
		symbols = slices.DeleteFunc(slices.Clone(w.Symbols), func(symbol string) bool { return slices.Contains(unknown, symbol) })
	}
	if len(symbols) > MaxSymbols {
		w.Logger.Warn("the vendor names more symbols than are polled: choose some by "+VariableSymbols, "named", len(symbols), "polled", MaxSymbols)
		symbols = symbols[:MaxSymbols]
	}
	w.symbols, w.named = symbols, time.Now()
	return symbols, nil
}

// gap is what there may be between what was published last of a symbol and
// its latest quote.
type gap struct {
	since  time.Time
	latest contract.Quote
}

// catchUp publishes all there was of each symbol since it was published last,
// up to its latest quote.
func (w *Worker) catchUp(p *publisher, latest []contract.Quote) error {
	var gaps []gap
	for _, quote := range latest {
		since, known := p.position(quote.Symbol)
		switch {
		case !known && w.Backfill > 0:
			gaps = append(gaps, gap{quote.Time.Add(-w.Backfill), quote})
		case !known:
			p.publish(quote)
		case quote.Time.After(since):
			gaps = append(gaps, gap{since, quote})
		}
	}
	// Those that begin alike are asked for together.
	slices.SortFunc(gaps, func(a, b gap) int { return a.since.Compare(b.since) })
	group, ctx := errgroup.WithContext(p.ctx)
	group.SetLimit(historiesAtOnce)
	for some := range slices.Chunk(gaps, w.Market.Batch()) {
		group.Go(func() error { return w.fill(ctx, p, some) })
	}
	return group.Wait()
}

// fill publishes the history of some symbols and then the latest quotes.
func (w *Worker) fill(ctx context.Context, p *publisher, gaps []gap) error {
	symbols, to := make([]string, len(gaps)), time.Time{}
	for i, gap := range gaps {
		symbols[i] = gap.latest.Symbol
		if gap.latest.Time.After(to) {
			to = gap.latest.Time
		}
	}
	for quote, err := range w.Market.History(ctx, symbols, gaps[0].since, to) {
		if err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
		p.publish(quote)
	}
	for _, gap := range gaps {
		p.publish(gap.latest) // dropped when history had it
	}
	return nil
}

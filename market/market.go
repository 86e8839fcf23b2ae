// Package market reads prices from a market-data vendor over plain HTTP. What
// a vendor's requests and answers look like is a description in a file, so
// that another vendor needs no code; Drydock's own feed is described in the
// same terms. The quotes worker and the alerts API call it.
//
// The variable DRYDOCK_MARKET is the address of a feed with Drydock's own API,
// as http://host:port, or file:///path/vendor.json, which describes a vendor:
//
//	{
//	  "name": "example",
//	  "batch": 50,
//	  "headers": {"Authorization": "Bearer ${EXAMPLE_TOKEN}"},
//	  "rate": {"requests": 60, "per": "1m", "burst": 5},
//	  "symbols": {"names": ["ACME", "BTC-USD"]},
//	  "latest": {
//	    "url": "https://api.example.com/quotes?symbols={symbols}",
//	    "list": "data", "symbol": "ticker", "price": "last", "volume": "size", "time": "at"
//	  },
//	  "history": {
//	    "url": "https://api.example.com/trades?symbols={symbols}&start={from}&end={to}&limit={limit}&page={page}",
//	    "list": "data", "symbol": "ticker", "price": "price", "volume": "size", "time": "at",
//	    "limit": 1000, "next": "next_page"
//	  }
//	}
//
// In a URL {symbols} stands for up to "batch" symbols joined by commas and
// {symbol} for one; ${NAME} is the value of an environment variable, in a
// header too, so that secrets stay out of the file. An answer is JSON, where
// "list" is the gjson path of the entries (none: the whole answer) and "symbol",
// "price", "volume" and "time" are paths within one, or with "format": "csv"
// they are names of columns. "volume" may be missing, and "symbol" where the
// URL has {symbol}. Times are in the format "time_format": rfc3339 (the
// default), unix, unix_ms or a layout of Go's package time, which "time_zone"
// (an IANA name, UTC by default) completes. Where "latest" has no "time", a
// price is of the time when it was first seen.
//
// "history" may be missing. Its URL takes {from}, {to} and {limit}, the first
// two written in the format "url_time_format" (rfc3339 by default). "next" is
// the path of what leads to the next page and is empty on the last: a value for
// {page} where the URL has that, else a time for {from}. Without "next" an
// answer of "limit" entries is followed by a request for what comes after it.
// "past" is like "history", in coarser quotes for long spans, and may be missing.
//
// "symbols" either names them or has the "url" of a list that is read with
// "format", "list" and "symbol". "rate" is what the vendor allows: at most so
// many requests in any span of the length "per", at most "burst" of them (1 by
// default) at once. It is kept for all instances and roles together.
package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// Variable is the environment variable that names the vendor.
const Variable = "DRYDOCK_MARKET"

const (
	requestsAtOnce = 4
	// maxAnswers bounds how many answers are remembered for conditional requests.
	maxAnswers = 10_000
	// maxAhead is how far in the future a quote's time may be. One that is
	// further off is an error of the vendor's, and would hide all that follow.
	maxAhead = 24 * time.Hour
)

// Options configure a client. Getenv and Records must be given.
type Options struct {
	Getenv func(string) string
	// Records hold the vendor's rate limit, shared by all who open the same
	// vendor: those of contract.QuotesCollection.
	Records    cloud.Records
	Logger     *slog.Logger          // slog.Default() when nil
	Registerer prometheus.Registerer // nil counts nothing
}

// Client asks one vendor. It is safe for concurrent use.
type Client struct {
	vendor   *vendor
	limit    *limit
	http     *http.Client
	wait     time.Duration // for one answer
	executor failsafe.Executor[reply]
	breaker  circuitbreaker.CircuitBreaker[reply]
	failures *prometheus.CounterVec
	log      *slog.Logger

	mu      sync.Mutex
	answers map[string]answered       // by URL
	seen    map[string]contract.Quote // by symbol, where the vendor tells no time
}

// answered is what a URL answered last, for when it is unchanged.
type answered struct {
	etag, modified string
	quotes         []contract.Quote
}

// Open prepares to ask the vendor that DRYDOCK_MARKET names. A wrong value or
// description is an error that says where; the vendor is first asked when it
// is used. The caller closes the client.
func Open(o Options) (*Client, error) {
	v, err := read(o.Getenv)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Variable, err)
	}
	return newClient(o, v, defaultPatience), nil
}

// Close ends the connections that are kept for later requests.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Ready asks the vendor for next to nothing, and returns nil when it answers.
func (c *Client) Ready(ctx context.Context) error {
	var err error
	if c.vendor.symbols != nil {
		_, err = c.get(ctx, c.vendor.symbols.url.expand(nil), answered{})
	} else {
		_, err = c.get(ctx, c.vendor.latest.url.expand(symbolValues(c.vendor.names[:1])), answered{})
	}
	var refused *RefusedError
	if errors.As(err, &refused) { // it is there
		return nil
	}
	return err
}

// Batch is how many symbols go into one request: of history where the vendor
// has that, else of latest prices.
func (c *Client) Batch() int {
	if c.vendor.history != nil {
		return c.vendor.history.batch
	}
	return c.vendor.latest.batch
}

// HasHistory tells whether the vendor has more than the latest prices.
func (c *Client) HasHistory() bool { return c.vendor.history != nil }

// Symbols returns the symbols that the vendor offers, in order, each once.
func (c *Client) Symbols(ctx context.Context) ([]string, error) {
	source := c.vendor.symbols
	if source == nil {
		return slices.Clone(c.vendor.names), nil
	}
	answer, err := c.get(ctx, source.url.expand(nil), answered{})
	if err != nil {
		return nil, fmt.Errorf("read symbols: %w", err)
	}
	entries, err := source.entries(answer.body)
	if err != nil {
		return nil, fmt.Errorf("read symbols: %w", c.fail(err))
	}
	var symbols []string
	var wrong badEntries
	for entry := range entries {
		symbol, err := entry(source.Symbol)
		if err == nil && !contract.ValidSymbol(symbol) {
			err = fmt.Errorf("%.40q is not a symbol", symbol)
		}
		if err != nil {
			wrong.add(err)
			continue
		}
		symbols = append(symbols, symbol)
	}
	c.report("symbols", wrong)
	slices.Sort(symbols)
	return slices.Compact(symbols), nil
}

// Latest returns the newest quote of each symbol that the vendor has one of,
// in no particular order. It asks in batches, and only for what has changed
// since it asked before: of the rest it returns the same quotes again. When
// some batches fail, it returns the quotes of the others together with the
// errors; after a *RateLimitedError or an *UnavailableError it asks no more.
func (c *Client) Latest(ctx context.Context, symbols []string) ([]contract.Quote, error) {
	batches := slices.Collect(slices.Chunk(symbols, c.vendor.latest.batch))
	found, failed := make([][]contract.Quote, len(batches)), make([]error, len(batches))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i, batch := range batches {
		group.Go(func() error {
			if asking.Err() != nil {
				return nil
			}
			found[i], failed[i] = c.latest(asking, batch)
			if kind := kindOf(failed[i]); kind == kindAnswer || kind == kindRefused {
				return nil // the others may fare better
			}
			if ctx.Err() == nil && asking.Err() != nil { // stopped by the failure of another
				failed[i] = nil
			}
			return failed[i]
		})
	}
	stopped := group.Wait()
	err := errors.Join(failed...)
	if err == nil {
		err = cmp.Or(stopped, ctx.Err())
	}
	if err != nil {
		err = fmt.Errorf("read latest quotes: %w", err)
	}
	return slices.Concat(found...), err
}

func (c *Client) latest(ctx context.Context, batch []string) ([]contract.Quote, error) {
	endpoint := c.vendor.latest
	address := endpoint.url.expand(symbolValues(batch))
	known := c.recall(address)
	answer, err := c.get(ctx, address, known)
	if err != nil {
		return nil, err
	}
	if answer.unchanged {
		return known.quotes, nil
	}
	quotes, _, err := c.quotes(endpoint, answer.body, batch)
	if err != nil {
		return nil, err
	}
	if endpoint.Time == "" {
		c.dateByChange(quotes)
	}
	c.remember(address, answered{etag: answer.etag, modified: answer.modified, quotes: quotes})
	return quotes, nil
}

func (c *Client) recall(address string) answered {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers[address]
}

func (c *Client) remember(address string, a answered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.etag == "" && a.modified == "" {
		delete(c.answers, address)
		return
	}
	if len(c.answers) >= maxAnswers {
		clear(c.answers)
	}
	c.answers[address] = a
}

// dateByChange gives quotes without a time of their own that of the moment
// when their price or volume was first seen.
func (c *Client) dateByChange(quotes []contract.Quote) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, quote := range quotes {
		before, known := c.seen[quote.Symbol]
		if known && before.Price == quote.Price && before.Volume == quote.Volume {
			quotes[i] = before
		} else {
			c.seen[quote.Symbol] = quote
		}
	}
}

// History yields the quotes of the symbols after from and up to to, both the
// market's time, in ascending order for each symbol, fetching pages as the
// caller goes on. An error ends the sequence; it is ErrNoHistory when the
// vendor has none.
func (c *Client) History(ctx context.Context, symbols []string, from, to time.Time) iter.Seq2[contract.Quote, error] {
	return c.read(ctx, c.vendor.history, symbols, from, to)
}

// Past is History in the coarser quotes that the vendor may have for long
// spans: one a minute, say, with the volume of that minute.
func (c *Client) Past(ctx context.Context, symbols []string, from, to time.Time) iter.Seq2[contract.Quote, error] {
	return c.read(ctx, c.vendor.past, symbols, from, to)
}

// read yields what an endpoint has, which is nil where the vendor has none.
func (c *Client) read(ctx context.Context, endpoint *endpoint, symbols []string, from, to time.Time) iter.Seq2[contract.Quote, error] {
	return func(yield func(contract.Quote, error) bool) {
		if endpoint == nil {
			yield(contract.Quote{}, ErrNoHistory)
			return
		}
		for batch := range slices.Chunk(symbols, endpoint.batch) {
			for quote, err := range c.history(ctx, endpoint, batch, from, to) {
				if err != nil {
					err = fmt.Errorf("read history: %w", err)
				}
				if !yield(quote, err) || err != nil {
					return
				}
			}
		}
	}
}

// place is where a page of history begins.
type place struct {
	from time.Time
	page string
}

// history yields one batch's quotes, page by page.
func (c *Client) history(ctx context.Context, endpoint *endpoint, batch []string, from, to time.Time) iter.Seq2[contract.Quote, error] {
	return func(yield func(contract.Quote, error) bool) {
		newest := map[string]time.Time{} // of each symbol, that was yielded
		for at, more := (place{from: from}), true; more; {
			var quotes []contract.Quote
			var err error
			if quotes, at, more, err = c.page(ctx, endpoint, batch, at, to); err != nil {
				yield(contract.Quote{}, err)
				return
			}
			for _, quote := range quotes {
				if !quote.Time.After(from) || quote.Time.After(to) || !quote.Time.After(newest[quote.Symbol]) {
					continue
				}
				newest[quote.Symbol] = quote.Time
				if !yield(quote, nil) {
					return
				}
			}
		}
	}
}

// page asks for one page and returns its quotes in ascending order, and where
// the next one begins if there is more.
func (c *Client) page(ctx context.Context, endpoint *endpoint, batch []string, at place, to time.Time) (quotes []contract.Quote, next place, more bool, err error) {
	values := symbolValues(batch)
	values["from"], values["to"] = escape(endpoint.urlTime.format(at.from)), escape(endpoint.urlTime.formatEnd(to))
	values["limit"], values["page"] = strconv.Itoa(endpoint.Limit), escape(at.page)
	answer, err := c.get(ctx, endpoint.url.expand(values), answered{})
	if err != nil {
		return nil, place{}, false, err
	}
	quotes, count, err := c.quotes(endpoint, answer.body, batch)
	if err != nil {
		return nil, place{}, false, err
	}
	slices.SortStableFunc(quotes, func(a, b contract.Quote) int { return a.Time.Compare(b.Time) })
	next, more, err = endpoint.after(at, answer.body, quotes, count)
	return quotes, next, more, c.fail(err)
}

// quotes reads the quotes in an answer, and how many entries it has. Entries
// that are no quote of the batch are left out, counted and logged.
func (c *Client) quotes(endpoint *endpoint, body []byte, batch []string) (quotes []contract.Quote, count int, err error) {
	entries, err := endpoint.entries(body)
	if err != nil {
		return nil, 0, c.fail(err)
	}
	now := time.Now()
	var wrong badEntries
	for entry := range entries {
		count++
		quote, err := endpoint.quote(entry, batch, now)
		if err == nil && quote.Time.After(now.Add(maxAhead)) {
			err = fmt.Errorf("quote of %s: its time %v is in the future", quote.Symbol, quote.Time)
		}
		if err != nil {
			wrong.add(err)
			continue
		}
		quotes = append(quotes, quote)
	}
	c.report(strings.Join(batch[:min(len(batch), 3)], ","), wrong)
	return quotes, count, nil
}

// badEntries counts the entries of an answer that cannot be used.
type badEntries struct {
	count int
	first error
}

func (b *badEntries) add(err error) {
	if b.count++; b.first == nil {
		b.first = err
	}
}

func (c *Client) report(of string, wrong badEntries) {
	if wrong.count > 0 {
		c.failures.WithLabelValues(kindEntry).Add(float64(wrong.count))
		c.log.Warn("the vendor sent entries that cannot be used", "of", of, "entries", wrong.count, "first", wrong.first)
	}
}

func symbolValues(batch []string) map[string]string {
	values := map[string]string{"symbol": escape(batch[0])}
	escaped := make([]string, len(batch))
	for i, symbol := range batch {
		escaped[i] = escape(symbol)
	}
	values["symbols"] = strings.Join(escaped, ",")
	return values
}

package market

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/contract"
	server "github.com/drydock/drydock/emulator/nats"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

// impatient is for tests: as the default in all but time.
var impatient = patience{
	wait:     5 * time.Second,
	attempts: 3, pause: time.Millisecond, maxPause: 5 * time.Millisecond,
	failures: 6, openFor: 200 * time.Millisecond,
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// vendorServer is a vendor whose answers a test decides.
type vendorServer struct {
	*httptest.Server
	mu       sync.Mutex
	answer   http.HandlerFunc
	requests []*http.Request
}

func newVendor(t *testing.T, answer http.HandlerFunc) *vendorServer {
	t.Helper()
	v := &vendorServer{answer: answer}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		v.requests = append(v.requests, r)
		answer := v.answer
		v.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *vendorServer) set(answer http.HandlerFunc) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answer = answer
}

func (v *vendorServer) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.requests)
}

func (v *vendorServer) last() *http.Request {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests[len(v.requests)-1]
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func openRecords(t *testing.T) cloud.Records {
	t.Helper()
	s, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return connectRecords(t, s.URL())
}

func connectRecords(t *testing.T, url string) cloud.Records {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	records, err := nats.OpenRecords(ctx, url, contract.QuotesCollection)
	require.NoError(t, err)
	t.Cleanup(func() { records.Close() })
	return records
}

// open makes an impatient client of a description, whose BASE is the vendor.
func open(t *testing.T, v *vendorServer, text string) *Client {
	t.Helper()
	parsed, err := parse([]byte(strings.ReplaceAll(text, "BASE", v.URL)), environment)
	require.NoError(t, err)
	c := newClient(Options{Records: openRecords(t), Logger: quiet}, parsed, impatient)
	t.Cleanup(func() { c.Close() })
	return c
}

// count is how often a kind of failure was counted.
func (c *Client) count(t *testing.T, kind string) float64 {
	t.Helper()
	var metric dto.Metric
	require.NoError(t, c.failures.WithLabelValues(kind).Write(&metric))
	return metric.GetCounter().GetValue()
}

func environment(name string) string { return map[string]string{"TOKEN": "s3/cret"}[name] }

func setUp(t *testing.T) context.Context {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

const jsonVendor = `{
	"batch": 2, "symbols": {"names": ["A", "B", "C"]},
	"latest": {"url": "BASE/latest?s={symbols}", "list": "data.quotes", "symbol": "s", "price": "p", "volume": "v", "time": "t"},
	"history": {"url": "BASE/history?s={symbols}&from={from}&to={to}&limit={limit}", "list": "q", "symbol": "s", "price": "p", "time": "t", "limit": 3, "next": "next"}
}`

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func quote(symbol string, price float64, seconds int) contract.Quote {
	return contract.Quote{Symbol: symbol, Price: price, Time: at(seconds)}
}

// latestAnswer writes quotes as jsonVendor has them.
func latestAnswer(quotes ...contract.Quote) string {
	entries := []string{}
	for _, q := range quotes {
		entries = append(entries, fmt.Sprintf(`{"s":%q,"p":"%v","v":%v,"t":%q}`, q.Symbol, q.Price, q.Volume, q.Time.Format(time.RFC3339Nano)))
	}
	return `{"data":{"quotes":[` + strings.Join(entries, ",") + `]}}`
}

func TestLatestAsksInBatches(t *testing.T) {
	ctx := setUp(t)
	v := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
		var quotes []contract.Quote
		for symbol := range strings.SplitSeq(r.URL.Query().Get("s"), ",") {
			quotes = append(quotes, quote(symbol, 1.5, 0))
		}
		io.WriteString(w, latestAnswer(quotes...))
	})
	c := open(t, v, jsonVendor)
	quotes, err := c.Latest(ctx, []string{"A", "B", "^C=/"})
	require.NoError(t, err)
	assert.ElementsMatch(t, []contract.Quote{quote("A", 1.5, 0), quote("B", 1.5, 0), quote("^C=/", 1.5, 0)}, quotes)
	assert.Equal(t, 2, v.count())
	assert.Equal(t, 2, c.Batch())
	none, err := c.Latest(ctx, nil)
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestWhatIsUnchangedIsNotSentAgain(t *testing.T) {
	for header, condition := range map[string]string{"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"} {
		t.Run(header, func(t *testing.T) {
			ctx := setUp(t)
			var unchanged atomic.Int32
			v := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(header, "x1")
				if r.Header.Get(condition) == "x1" {
					unchanged.Add(1)
					w.WriteHeader(http.StatusNotModified)
					return
				}
				io.WriteString(w, latestAnswer(quote("A", 1, 0)))
			})
			c := open(t, v, jsonVendor)
			for range 3 {
				quotes, err := c.Latest(ctx, []string{"A"})
				require.NoError(t, err)
				assert.Equal(t, []contract.Quote{quote("A", 1, 0)}, quotes)
			}
			assert.EqualValues(t, 2, unchanged.Load())
		})
	}
}

func TestAnswersOfManyShapes(t *testing.T) {
	const one = `{"symbols":{"names":["A"]},"latest":{"url":"BASE/{symbol}",%s}}`
	for name, test := range map[string]struct{ description, answer string }{
		"one object":       {`"price":"quote.last","time":"quote.t","time_format":"unix"`, `{"quote":{"last":2.5,"t":1777896000}}`},
		"text and ms":      {`"list":"r","symbol":"i","price":"p","time":"t","time_format":"unix_ms"`, `{"r":[{"i":"A","p":"2.5","t":"1777896000000"}]}`},
		"dots in names":    {`"price":"Global Quote.05\\. price","time":"d","time_format":"2006-01-02 15:04","time_zone":"America/New_York"`, `{"Global Quote":{"05. price":"2.5"},"d":"2026-05-04 08:00"}`},
		"by symbol":        {`"list":"@values","symbol":"s","price":"p","time":"t"`, `{"A":{"s":"A","p":2.5,"t":"2026-05-04T12:00:00Z"}}`},
		"columns":          {`"list":"{\"p\":c,\"t\":t}|@group","price":"p","time":"t","time_format":"unix"`, `{"c":[2.5],"t":[1777896000]}`},
		"csv":              {`"format":"csv","symbol":"Symbol","price":"Close","time":"Date","time_format":"2006-01-02 15:04:05"`, "Date,Symbol,Close\r\n2026-05-04 12:00:00,A,2.5\r\n"},
		"csv, other order": {`"format":"csv","price":"Close","time":"Date"`, "\ufeffClose,Date\n2.5,2026-05-04T14:00:00+02:00\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := setUp(t)
			v := newVendor(t, text(test.answer))
			c := open(t, v, fmt.Sprintf(one, test.description))
			quotes, err := c.Latest(ctx, []string{"A"})
			require.NoError(t, err)
			assert.Equal(t, []contract.Quote{quote("A", 2.5, 0)}, quotes)
			assert.Equal(t, "/A", v.last().URL.Path)
			for _, err := range c.History(ctx, []string{"A"}, noon, noon) {
				assert.ErrorIs(t, err, ErrNoHistory)
			}
		})
	}
}

func TestAPriceWithoutTimeIsOfTheMomentWhenItWasFirstSeen(t *testing.T) {
	ctx := setUp(t)
	v := newVendor(t, text(`{"price":"7"}`))
	c := open(t, v, `{"symbols":{"names":["A"]},"latest":{"url":"BASE/{symbol}","price":"price"}}`)
	first, err := c.Latest(ctx, []string{"A"})
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), first[0].Time, time.Minute)
	same, err := c.Latest(ctx, []string{"A"})
	require.NoError(t, err)
	assert.Equal(t, first, same)
	v.set(text(`{"price":"8"}`))
	changed, err := c.Latest(ctx, []string{"A"})
	require.NoError(t, err)
	assert.EqualValues(t, 8, changed[0].Price)
	assert.True(t, changed[0].Time.After(first[0].Time))
}

func TestSymbols(t *testing.T) {
	ctx := setUp(t)
	v := newVendor(t, text(`{"symbols":[{"symbol":"B"},{"symbol":"A"},{"symbol":"A"},{"symbol":"no symbol"},{"symbol":{}},{}]}`))
	c := open(t, v, `{"batch":1,"symbols":{"url":"BASE/list?key=${TOKEN}","list":"symbols","symbol":"symbol"},
		"headers":{"Authorization":"Bearer ${TOKEN}"},"latest":{"url":"BASE/{symbol}","price":"p"}}`)
	symbols, err := c.Symbols(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{"A", "B"}, symbols)
	assert.Equal(t, "s3/cret", v.last().URL.Query().Get("key"))
	assert.Equal(t, "Bearer s3/cret", v.last().Header.Get("Authorization"))
	assert.EqualValues(t, 3, c.count(t, kindEntry))

	named, err := open(t, v, jsonVendor).Symbols(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{"A", "B", "C"}, named)
}

// historyOf serves quotes as jsonVendor's history, or with other ways to page.
func historyOf(all []contract.Quote, next func(page []contract.Quote, more bool) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		from, _ := time.Parse(time.RFC3339Nano, query.Get("from"))
		to, _ := time.Parse(time.RFC3339Nano, query.Get("to"))
		limit, _ := strconv.Atoi(query.Get("limit"))
		asked := strings.Split(query.Get("s"), ",")
		var page []contract.Quote
		more := false
		for _, q := range all {
			if !q.Time.After(from) || q.Time.After(to) || !slices.Contains(asked, q.Symbol) {
				continue
			}
			if more = len(page) == limit; more {
				break
			}
			page = append(page, q)
		}
		body := `{"q":[`
		for i, q := range page {
			if i > 0 {
				body += ","
			}
			body += fmt.Sprintf(`{"s":%q,"p":%v,"t":%q}`, q.Symbol, q.Price, q.Time.Format(time.RFC3339Nano))
		}
		io.WriteString(w, body+`]`+next(page, more)+`}`)
	}
}

func tape(symbols ...string) (all []contract.Quote) {
	for i := range 20 {
		for _, symbol := range symbols {
			all = append(all, quote(symbol, float64(100+i), i))
		}
	}
	return all
}

func collect(t *testing.T, c *Client, ctx context.Context, symbols []string, from, to time.Time) (all []contract.Quote) {
	t.Helper()
	for q, err := range c.History(ctx, symbols, from, to) {
		require.NoError(t, err)
		all = append(all, q)
	}
	return all
}

func TestHistoryIsPaged(t *testing.T) {
	const head = `{"batch": 2, "symbols": {"names": ["A"]},
		"latest": {"url": "BASE/{symbol}", "price": "p"},
		"history": {`
	const entries = `"list": "q", "symbol": "s", "price": "p", "time": "t", `
	one := []string{"A"}
	for name, test := range map[string]struct {
		description string
		symbols     []string
		next        func(page []contract.Quote, more bool) string
		answer      http.HandlerFunc
	}{
		"next time": {
			description: entries + `"url": "BASE/?s={symbols}&from={from}&to={to}&limit={limit}", "limit": 3, "next": "next"}}`,
			symbols:     one,
			answer: historyOf(tape("A", "B"), func(page []contract.Quote, more bool) string {
				if !more {
					return ""
				}
				return fmt.Sprintf(`,"next":%q`, page[len(page)-1].Time.Format(time.RFC3339Nano))
			}),
		},
		"limit, one symbol": {
			description: entries + `"url": "BASE/?s={symbol}&from={from}&to={to}&limit={limit}", "limit": 3}}`,
			symbols:     []string{"A", "B"},
			answer:      historyOf(tape("A", "B"), func([]contract.Quote, bool) string { return "" }),
		},
		"limit, cut between symbols of one moment": {
			description: entries + `"url": "BASE/?s={symbols}&from={from}&to={to}&limit={limit}", "limit": 5}}`,
			symbols:     []string{"A", "B"},
			answer:      historyOf(tape("A", "B"), func([]contract.Quote, bool) string { return "" }),
		},
		"CSV, seconds": {
			description: `"url": "BASE/?s={symbol}&from={from}&to={to}", "url_time_format": "unix", "limit": 7,
				"format": "csv", "symbol": "", "price": "close", "time": "date", "time_format": "2006-01-02 15:04:05", "time_zone": "Europe/Berlin"}}`,
			symbols: one,
			answer: func(w http.ResponseWriter, r *http.Request) {
				berlin, err := time.LoadLocation("Europe/Berlin")
				assert.NoError(t, err)
				from, _ := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
				to, _ := strconv.ParseInt(r.URL.Query().Get("to"), 10, 64)
				io.WriteString(w, "date,close\n")
				lines := 0
				for _, q := range tape("A") {
					if q.Time.Unix() < from || q.Time.Unix() > to || lines == 7 {
						continue
					}
					fmt.Fprintf(w, "%s,%v\n", q.Time.In(berlin).Format(time.DateTime), q.Price)
					lines++
				}
			},
		},
		"page": {
			description: entries + `"url": "BASE/?s={symbols}&from={from}&page={page}", "next": "n"}}`,
			symbols:     one,
			answer: func(w http.ResponseWriter, r *http.Request) {
				page, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Query().Get("page"), "p&"))
				body := []string{}
				for _, q := range tape("A")[page*5 : page*5+5] {
					body = append(body, fmt.Sprintf(`{"s":"A","p":%v,"t":%q}`, q.Price, q.Time.Format(time.RFC3339)))
				}
				slices.Reverse(body) // the newest first, as some have it
				next := `null`
				if page < 3 {
					next = fmt.Sprintf(`"p&%d"`, page+1)
				}
				fmt.Fprintf(w, `{"q":[%s],"n":%s}`, strings.Join(body, ","), next)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := setUp(t)
			v := newVendor(t, test.answer)
			c := open(t, v, head+test.description)
			all := collect(t, c, ctx, test.symbols, at(2), at(18))
			for _, symbol := range test.symbols {
				var got []contract.Quote
				for _, q := range all {
					if q.Symbol == symbol {
						got = append(got, q)
					}
				}
				var want []contract.Quote
				for _, q := range tape(symbol) {
					if q.Time.After(at(2)) && !q.Time.After(at(18)) {
						want = append(want, q)
					}
				}
				assert.Equal(t, want, got, symbol)
			}
			assert.Greater(t, v.count(), 2)
			asked := v.count()
			for range c.History(ctx, one, at(0), at(20)) {
				break
			}
			assert.Equal(t, asked+1, v.count(), "no more pages than are wanted")
		})
	}
}

func TestHistoryThatLeadsNoFurtherIsAnError(t *testing.T) {
	ctx := setUp(t)
	v := newVendor(t, historyOf(tape("A"), func([]contract.Quote, bool) string { return `,"next":"2026-05-04T12:00:02Z"` }))
	c := open(t, v, jsonVendor)
	var last error
	for _, err := range c.History(ctx, []string{"A"}, noon, at(18)) {
		last = err
	}
	var answer *AnswerError
	require.ErrorAs(t, last, &answer)
	assert.Equal(t, 2, v.count())
}

func TestFaultsOfTheVendor(t *testing.T) {
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, `{"data":`)
		panic(http.ErrAbortHandler)
	}
	var packed bytes.Buffer // before it is asked for: it takes its time, and the client's runs
	packer := gzip.NewWriter(&packed)
	_, err := packer.Write(make([]byte, 2*maxBody))
	require.NoError(t, err)
	require.NoError(t, packer.Close())
	huge := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		kind   string
		tries  int
	}{
		"down":                 {status(503), kindUnavailable, 3},
		"broken":               {status(500), kindUnavailable, 3},
		"timeout of its own":   {status(408), kindUnavailable, 3},
		"cut in the middle":    {cut, kindUnavailable, 3},
		"no connection":        {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, kindUnavailable, 3},
		"unauthorised":         {status(401), kindRefused, 1},
		"moved":                {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, kindRefused, 1},
		"not changed, unasked": {status(304), kindRefused, 1},
		"garbage":              {text(`<html>Please log in</html>`), kindAnswer, 1},
		"empty":                {text(``), kindAnswer, 1},
		"no list":              {text(`{"error":"no"}`), kindAnswer, 1},
		"list of another type": {text(`{"data":{"quotes":7}}`), kindAnswer, 1},
		"nested without end":   {text(strings.Repeat("[", maxBody)), kindAnswer, 1},
		"unpacks without end":  {huge, kindAnswer, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := setUp(t)
			v := newVendor(t, test.answer)
			c := open(t, v, jsonVendor)
			quotes, err := c.Latest(ctx, []string{"A"})
			require.Equal(t, test.kind, kindOf(err))
			assert.InDelta(t, test.tries, c.count(t, test.kind), 0)
			assert.Empty(t, quotes)
			assert.NotContains(t, err.Error(), v.URL)
			assert.Equal(t, test.tries, v.count())
		})
	}
}

func TestASlowVendorIsNotWaitedForWithoutEnd(t *testing.T) {
	ctx := setUp(t)
	release := make(chan struct{})
	defer close(release)
	v := newVendor(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	c := open(t, v, jsonVendor)
	c.wait = 50 * time.Millisecond
	_, err := c.Latest(ctx, []string{"A"})
	var away *UnavailableError
	require.ErrorAs(t, err, &away)

	c.wait = time.Minute
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err = c.Latest(short, []string{"A"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorAs(t, err, &away, "the caller's own end is no fault of the vendor")
}

func TestEntriesThatAreNoQuotesAreLeftOut(t *testing.T) {
	ctx := setUp(t)
	good := `{"s":"A","p":1,"v":2,"t":"2026-05-04T12:00:00Z"}`
	bad := []string{
		`{"s":"B","p":null,"t":"2026-05-04T12:00:00Z"}`,
		`{"s":"B","p":-1,"t":"2026-05-04T12:00:00Z"}`,
		`{"s":"B","p":"NaN","t":"2026-05-04T12:00:00Z"}`,
		`{"s":"B","p":true,"t":"2026-05-04T12:00:00Z"}`,
		`{"s":"B","p":1,"v":"many","t":"2026-05-04T12:00:00Z"}`,
		`{"s":"B","p":1,"t":"yesterday"}`,
		`{"s":"B","p":1,"t":"2926-05-04T12:00:00Z"}`,
		`{"s":"B","p":1}`,
		`{"s":"Z","p":1,"t":"2026-05-04T12:00:00Z"}`,
		`{}`, `7`, `null`,
	}
	v := newVendor(t, text(`{"data":{"quotes":[`+strings.Join(append(bad, good), ",")+`]}}`))
	c := open(t, v, jsonVendor)
	quotes, err := c.Latest(ctx, []string{"A", "B"})
	require.NoError(t, err)
	assert.Equal(t, []contract.Quote{{Symbol: "A", Price: 1, Volume: 2, Time: noon}}, quotes)
	assert.EqualValues(t, len(bad), c.count(t, kindEntry))
}

func TestOneBatchThatFailsDoesNotHideTheOthers(t *testing.T) {
	for kind, fault := range map[string]http.HandlerFunc{kindAnswer: text("garbage"), kindRefused: status(404)} {
		t.Run(kind, func(t *testing.T) {
			ctx := setUp(t)
			v := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.RawQuery, "C") {
					fault(w, r)
					return
				}
				io.WriteString(w, latestAnswer(quote("A", 1, 0)))
			})
			quotes, err := open(t, v, jsonVendor).Latest(ctx, []string{"C", "D", "A", "B"})
			assert.Equal(t, kind, kindOf(err))
			assert.Equal(t, []contract.Quote{quote("A", 1, 0)}, quotes)
		})
	}
}

func TestTheBreakerOpensAndCloses(t *testing.T) {
	ctx := setUp(t)
	v := newVendor(t, status(500))
	c := open(t, v, jsonVendor)
	for range 2 {
		_, err := c.Latest(ctx, []string{"A"})
		require.Error(t, err)
	}
	asked := v.count()
	require.Equal(t, 6, asked)
	_, err := c.Latest(ctx, []string{"A"})
	var away *UnavailableError
	require.ErrorAs(t, err, &away)
	assert.Positive(t, away.RetryAfter)
	assert.Equal(t, asked, v.count(), "an open breaker asks nothing")
	v.set(text(latestAnswer(quote("A", 1, 0))))
	require.Eventually(t, func() bool {
		_, err := c.Latest(ctx, []string{"A"})
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
	assert.True(t, c.breaker.IsClosed())
}

func TestAPauseThatTheVendorAsksForHoldsForAllClients(t *testing.T) {
	ctx := setUp(t)
	v := newVendor(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	one := open(t, v, jsonVendor)
	other := newClient(Options{Records: one.limit.records, Logger: quiet}, one.vendor, impatient)
	defer other.Close()
	_, err := one.Latest(ctx, []string{"A"})
	var limited *RateLimitedError
	require.ErrorAs(t, err, &limited)
	assert.Equal(t, 3*time.Second, limited.RetryAfter)
	paused := time.Now()
	v.set(text(latestAnswer(quote("A", 1, 0))))

	short, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
	defer cancel()
	_, err = other.Latest(short, []string{"A"})
	require.ErrorAs(t, err, &limited, "it does not wait for what is after its time")
	assert.Equal(t, 1, v.count())
	_, err = other.Latest(ctx, []string{"A"})
	require.NoError(t, err)
	assert.Greater(t, time.Since(paused), 2500*time.Millisecond)
}

func TestOpenReadsTheVariable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "vendor.json")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(jsonVendor, "BASE", "http://vendor.example:81")), 0o600))
	for value, wrong := range map[string]string{
		"http://127.0.0.1:8000":    "",
		"https://feed.example/x/":  "",
		"file://" + file:           "",
		"":                         "DRYDOCK_MARKET: it is not set: it takes http",
		"ftp://x":                  "ftp://x is not of a known kind",
		"http://ann:secret@host":   "http://ann:xxxxx@host is not of a known kind",
		"file:///nowhere/a.json":   "/nowhere/a.json: no such file",
		"file://" + t.TempDir():    "is a directory",
		"http://[::1":              "it is no URL",
		"file://relative/path.txt": "is not of a known kind",
	} {
		c, err := Open(Options{
			Getenv:     func(name string) string { return map[string]string{Variable: value}[name] },
			Registerer: prometheus.NewPedanticRegistry(),
		})
		if wrong != "" {
			require.ErrorContains(t, err, wrong)
			continue
		}
		require.NoError(t, err, value)
		assert.True(t, c.HasHistory())
		require.NoError(t, c.Close())
	}
}

func TestTheOwnFeedIsDescribedRight(t *testing.T) {
	ctx := setUp(t)
	v := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]any{"quotes": []contract.Quote{{Symbol: "A", Price: 3, Volume: 4, Time: at(1)}}}
		if r.URL.Path == "/v1/symbols" {
			answer = map[string]any{"symbols": []map[string]string{{"symbol": "A", "name": "Alpha"}}}
		}
		assert.NoError(t, json.NewEncoder(w).Encode(answer))
	})
	c, err := Open(Options{Getenv: func(string) string { return v.URL }, Records: openRecords(t), Logger: quiet})
	require.NoError(t, err)
	defer c.Close()
	assert.Equal(t, 100, c.Batch())
	symbols, err := c.Symbols(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{"A"}, symbols)
	latest, err := c.Latest(ctx, symbols)
	require.NoError(t, err)
	want := []contract.Quote{{Symbol: "A", Price: 3, Volume: 4, Time: at(1)}}
	assert.Equal(t, want, latest)
	assert.Equal(t, want, collect(t, c, ctx, symbols, noon, at(2)))
	query := v.last().URL.Query()
	assert.Equal(t, []string{"A", "2026-05-04T12:00:00Z", "2026-05-04T12:00:02Z", "10000"},
		[]string{query.Get("symbols"), query.Get("from"), query.Get("to"), query.Get("limit")})
}

package market

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/drydock/drydock/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// feed is a Market that is asked without a network, so that a bubble of
// synctest governs its time.
type feed struct {
	*Market
	t       testing.TB
	handler http.Handler
}

func newFeed(t testing.TB, o Options) *feed {
	t.Helper()
	m, err := New(o)
	require.NoError(t, err)
	return &feed{Market: m, t: t, handler: m.Handler()}
}

func (f *feed) call(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

// get decodes an answer that has to be 200.
func (f *feed) get(path string) quotesBody {
	f.t.Helper()
	return f.answered(f.call(http.MethodGet, path, ""), http.StatusOK)
}

func (f *feed) answered(w *httptest.ResponseRecorder, status int) (body quotesBody) {
	f.t.Helper()
	require.Equal(f.t, status, w.Code, "%s", w.Body)
	require.NoError(f.t, json.Unmarshal(w.Body.Bytes(), &body))
	return body
}

// refused decodes an answer that has to be a problem.
func (f *feed) refused(w *httptest.ResponseRecorder, status int) (p problem) {
	f.t.Helper()
	require.Equal(f.t, status, w.Code, "%s", w.Body)
	require.Equal(f.t, "application/problem+json", w.Header().Get("Content-Type"))
	require.NoError(f.t, json.Unmarshal(w.Body.Bytes(), &p))
	require.Equal(f.t, status, p.Status)
	require.Equal(f.t, http.StatusText(status), p.Title)
	return p
}

// script posts events, which have to be taken.
func (f *feed) script(events string) []Event {
	f.t.Helper()
	w := f.call(http.MethodPost, "/v1/events", events)
	require.Equal(f.t, http.StatusCreated, w.Code, "%s", w.Body)
	var body eventsBody
	require.NoError(f.t, json.Unmarshal(w.Body.Bytes(), &body))
	return body.Events
}

func (f *feed) history(symbol string, from, to time.Time) []contract.Quote {
	f.t.Helper()
	quotes, err := f.History([]string{symbol}, from, to)
	require.NoError(f.t, err)
	return quotes
}

func historyPath(symbols string, from, to time.Time, more string) string {
	return fmt.Sprintf("/v1/history?symbols=%s&from=%s&to=%s%s", symbols,
		url.QueryEscape(from.Format(time.RFC3339Nano)), url.QueryEscape(to.Format(time.RFC3339Nano)), more)
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func TestQuotesAreDecidedBySeedSymbolAndTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newFeed(t, Options{Seed: 7})
		time.Sleep(1234567 * time.Millisecond)
		two := newFeed(t, Options{Seed: 7})
		other := newFeed(t, Options{Seed: 8})
		var all []string
		for _, s := range one.Symbols() {
			all = append(all, s.Symbol)
		}
		require.GreaterOrEqual(t, len(all), 20)
		quotes, err := one.History(all, noon, noon.Add(time.Minute))
		require.NoError(t, err)
		require.Len(t, quotes, 60*len(all))
		again, err := two.History(all, noon, noon.Add(time.Minute))
		require.NoError(t, err)
		require.Equal(t, quotes, again)
		different, err := other.History(all, noon, noon.Add(time.Minute))
		require.NoError(t, err)
		require.NotEqual(t, quotes, different)

		seen := map[string]bool{}
		for i, q := range quotes {
			require.NoError(t, q.Check())
			require.Equal(t, all[i%len(all)], q.Symbol)
			require.Equal(t, noon.Add(time.Duration(1+i/len(all))*time.Second), q.Time)
			require.GreaterOrEqual(t, q.Volume, 1.0)
			require.Equal(t, q.Price, rounded(q.Price))
			require.False(t, seen[q.ID()])
			seen[q.ID()] = true
			single := one.history(q.Symbol, q.Time.Add(-time.Nanosecond), q.Time)
			require.Equal(t, []contract.Quote{q}, single, "asked for alone")
		}
	})
}

func TestPricesMoveAsTheirVolatilitySays(t *testing.T) {
	t.Parallel()
	f := newFeed(t, Options{})
	for _, c := range companies {
		quotes, _ := page([]*tape{newTape(c.symbol, f.series[c.symbol], f.book)}, noon.AddDate(-6, 0, 0).UnixNano(), noon.UnixNano(), 1_000_000, int64(24*time.Hour))
		require.Greater(t, len(quotes), 6*365)
		var sum, changed float64
		for i, q := range quotes[1:] {
			change := q.Price/quotes[i].Price - 1
			sum += change * change
			if change != 0 {
				changed++
			}
			require.Less(t, q.Price, c.price*60, c.symbol)
			require.Greater(t, q.Price, c.price/60, c.symbol)
		}
		perYear := sum / float64(len(quotes)) * 365
		assert.InEpsilon(t, c.volatility*c.volatility, perYear, 0.75, "%s: variance of the changes in a year", c.symbol)
		assert.Greater(t, changed/float64(len(quotes)), 0.5, c.symbol)
	}
}

func TestVolumeHasADailyShape(t *testing.T) {
	t.Parallel()
	f := newFeed(t, Options{})
	midnight := noon.Truncate(24 * time.Hour)
	series := f.series["ACME"]
	quiet := series.volume(midnight.Add(2*time.Hour).UnixNano(), midnight.Add(4*time.Hour).UnixNano())
	busy := series.volume(midnight.Add(14*time.Hour).UnixNano(), midnight.Add(16*time.Hour).UnixNano())
	assert.Greater(t, busy, 3*quiet)
	whole := series.volume(midnight.UnixNano(), midnight.AddDate(0, 0, 30).UnixNano())
	assert.InEpsilon(t, 30*9_000_000, whole, 0.15)
}

func TestSymbols(t *testing.T) {
	t.Parallel()
	f := newFeed(t, Options{})
	w := f.call(http.MethodGet, "/v1/symbols", "")
	require.Equal(t, http.StatusOK, w.Code)
	var body struct{ Symbols []Symbol }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	require.Equal(t, f.Symbols(), body.Symbols)
	require.Equal(t, Symbol{"ACME", "Acme Corporation"}, body.Symbols[0])
}

func TestQuotesAndTheirTag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{Rate: -1})
		time.Sleep(1500 * time.Millisecond)
		w := f.call(http.MethodGet, "/v1/quotes?symbols=WOBBLE,ACME,DUCAT-USD,ACME", "")
		body := f.answered(w, http.StatusOK)
		require.Len(t, body.Quotes, 3)
		for i, symbol := range []string{"ACME", "DUCAT-USD", "WOBBLE"} {
			now := time.Now()
			require.Equal(t, f.history(symbol, now.Add(-time.Second), now)[0], body.Quotes[i])
			require.Equal(t, now.Truncate(time.Second).UTC(), body.Quotes[i].Time)
		}
		tag := w.Header().Get("ETag")
		require.NotEmpty(t, tag)
		for _, known := range []string{tag, `"x", W/` + tag, "*"} {
			w = f.call(http.MethodGet, "/v1/quotes?symbols=WOBBLE,ACME,DUCAT-USD", "", "If-None-Match", known)
			require.Equal(t, http.StatusNotModified, w.Code, known)
			require.Empty(t, w.Body.Bytes())
			require.Equal(t, tag, w.Header().Get("ETag"))
		}
		w = f.call(http.MethodGet, "/v1/quotes?symbols=ACME", "", "If-None-Match", tag)
		require.Equal(t, http.StatusOK, w.Code, "other symbols")
		time.Sleep(500 * time.Millisecond)
		w = f.call(http.MethodGet, "/v1/quotes?symbols=WOBBLE,ACME,DUCAT-USD", "", "If-None-Match", tag)
		require.Equal(t, http.StatusOK, w.Code, "the next quote is there")
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := newFeed(t, Options{Rate: -1})
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/v1/quotes", "", 400, "symbols is missing"},
		{"GET", "/v1/quotes?symbols=ACME,", "", 400, `symbol ""`},
		{"GET", "/v1/quotes?symbols=A%20B", "", 400, `symbol "A B"`},
		{"GET", "/v1/quotes?symbols=" + strings.Repeat("ACME,", 100) + "ACME", "", 400, "100 is the most"},
		{"GET", "/v1/quotes?symbols=ACME&symbols=WOBBLE", "", 400, "each once"},
		{"GET", "/v1/quotes?symbol=ACME", "", 400, `parameter "symbol"`},
		{"GET", "/v1/quotes?symbols=%zz", "", 400, "query"},
		{"GET", "/v1/quotes?symbols=ACME,NONE", "", 404, "NONE"},
		{"GET", "/v1/stream?symbols=NONE", "", 404, "NONE"},
		{"GET", "/v1/history?symbols=NONE&from=2026-01-01T00:00:00Z", "", 404, "NONE"},
		{"GET", "/v1/history?symbols=ACME", "", 400, "from is missing"},
		{"GET", "/v1/history?symbols=ACME&from=2026-01-01", "", 400, "RFC 3339"},
		{"GET", "/v1/history?symbols=ACME&from=2026-01-01T00:00:00+02:00", "", 400, "%2B"},
		{"GET", "/v1/history?symbols=ACME&from=2026-01-01T00:00:00Z&limit=0", "", 400, "limit"},
		{"GET", "/v1/history?symbols=ACME&from=2026-01-01T00:00:00Z&limit=10001", "", 400, "limit"},
		{"GET", "/v1/history?symbols=ACME&from=2026-01-01T00:00:00Z&interval=1ms", "", 400, "interval"},
		{"GET", "/v1/history?symbols=ACME&from=2026-01-01T00:00:00Z&interval=day", "", 400, "interval"},
		{"GET", "/v1/nothing", "", 404, "/v1/nothing"},
		{"PUT", "/v1/quotes", "", 404, "PUT"},
		{"DELETE", "/v1/events/none", "", 404, "none"},
		{"POST", "/v1/quotes", `{"symbol":`, 400, "read quote"},
		{"POST", "/v1/quotes", `{"symbol":"ACME","cost":1}`, 400, "cost"},
		{"POST", "/v1/quotes", `{"symbol":"NONE","price":1}`, 404, "NONE"},
		{"POST", "/v1/quotes", `{"symbol":"ACME","price":0}`, 422, "price 0"},
		{"POST", "/v1/quotes", `{"symbol":"ACME","price":1e300}`, 422, "price 1e+300"},
		{"POST", "/v1/quotes", `{"symbol":"ACME","price":1,"volume":-1}`, 422, "volume -1"},
		{"POST", "/v1/quotes", `{"symbol":"ACME","price":1,"time":"2199-01-01T00:00:00Z"}`, 422, "time 2199"},
		{"POST", "/v1/events", strings.Repeat(" ", maxBody+1), 413, "bytes"},
		{"POST", "/v1/events", ``, 400, "EOF"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s"} {}`, 400, "array"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1 day"}`, 400, "1 day"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s","percentage":3}`, 400, "percentage"},
		{"POST", "/v1/events", `{"kind":"boom","for":"1s"}`, 422, `kind "boom"`},
		{"POST", "/v1/events", `[{"kind":"halt","for":"1s"},{"kind":"halt"}]`, 422, "event 2: a halt needs for"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s","symbol":"NONE"}`, 404, "NONE"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s","symbol":"A B"}`, 422, "A B"},
		{"POST", "/v1/events", `{"kind":"halt","for":"9000h"}`, 422, "for 9000h"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s","at":"2026-01-01T00:00:00Z","after":"1s"}`, 422, "both"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s","after":"-1s"}`, 422, "after"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s","at":"1969-01-01T00:00:00Z"}`, 422, "at"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s","percent":3}`, 422, "percent"},
		{"POST", "/v1/events", `{"kind":"crash","for":"1s","percent":100}`, 422, "percent 100"},
		{"POST", "/v1/events", `{"kind":"spike","for":"1s","percent":-1}`, 422, "percent -1"},
		{"POST", "/v1/events", `{"kind":"gap"}`, 422, "percent 0"},
		{"POST", "/v1/events", `{"kind":"slow","for":"1s"}`, 422, "delay"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s","delay":"1s"}`, 422, "delay"},
		{"POST", "/v1/events", `{"kind":"halt","for":"1s","cut":true}`, 422, "cut"},
	} {
		t.Run(test.method+" "+test.path[:min(60, len(test.path))]+" "+test.body[:min(60, len(test.body))], func(t *testing.T) {
			p := f.refused(f.call(test.method, test.path, test.body), test.status)
			require.Contains(t, p.Detail, test.says)
		})
	}
	p := f.refused(f.call("GET", "/v1/quotes?symbols=NONE,ACME,NIX", ""), 404)
	require.Equal(t, []string{"NIX", "NONE"}, p.Symbols)
	require.Empty(t, f.book.events)
	require.Empty(t, f.book.injected)
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{Rate: 0.5, Burst: 3})
		for range 3 {
			f.get("/v1/quotes?symbols=ACME")
		}
		w := f.call(http.MethodGet, "/v1/symbols", "")
		f.refused(w, http.StatusTooManyRequests)
		require.Equal(t, "2", w.Header().Get("Retry-After"))
		require.Equal(t, http.StatusOK, f.call(http.MethodGet, "/v1/symbols", "", "Authorization", "Bearer other").Code, "another client")
		f.script(`{"kind":"halt","for":"1s"}`) // what governs the feed is not limited
		time.Sleep(2 * time.Second)
		f.get("/v1/quotes?symbols=ACME")
		f.refused(f.call(http.MethodGet, "/v1/symbols", ""), http.StatusTooManyRequests)

		for i := range maxClients + 50 {
			f.call(http.MethodGet, "/v1/symbols", "", "Authorization", fmt.Sprint(i))
		}
		require.LessOrEqual(t, len(f.limits.clients), maxClients)
		time.Sleep(time.Minute)
		require.Equal(t, http.StatusOK, f.call(http.MethodGet, "/v1/symbols", "", "Authorization", "new").Code)
	})
}

func TestHistoryPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{Rate: -1})
		time.Sleep(time.Hour + 300*time.Millisecond)
		to := time.Now()
		from := to.Add(-100 * time.Second)
		truth, err := f.History([]string{"ACME", "WOBBLE", "TINPOT"}, from, to)
		require.NoError(t, err)
		require.Len(t, truth, 300)
		for _, limit := range []int{1, 3, 7, 299, 300, 301} {
			var read []contract.Quote
			pages := 0
			for after := from; ; pages++ {
				body := f.get(historyPath("WOBBLE,TINPOT,ACME", after, to, fmt.Sprint("&limit=", limit)))
				require.LessOrEqual(t, len(body.Quotes), max(limit, 3), "one time may have more than the limit")
				read = append(read, body.Quotes...)
				if body.Next.IsZero() {
					break
				}
				require.Equal(t, body.Quotes[len(body.Quotes)-1].Time, body.Next)
				after = body.Next
			}
			require.Equal(t, truth, read, "limit %d", limit)
			require.Equal(t, 299/max(limit/3*3, 3), pages)
		}
		body := f.get("/v1/history?symbols=ACME&from=" + from.Format(time.RFC3339Nano))
		require.Equal(t, f.history("ACME", from, to), body.Quotes, "to is now by default")
		require.Equal(t, body, f.get(historyPath("ACME", from, to.AddDate(1, 0, 0), "")), "nothing is told of what is to come")
		require.Empty(t, f.get(historyPath("ACME", to, from, "")).Quotes)
		raw := f.call(http.MethodGet, historyPath("ACME", to, to, ""), "").Body.String()
		require.JSONEq(t, `{"quotes":[]}`, raw)
	})
}

// plainBars is what an interval of history has to be: read from the quotes.
func plainBars(quotes []contract.Quote, to time.Time, interval time.Duration) []contract.Quote {
	var bars []contract.Quote
	for _, q := range quotes {
		end := q.Time.Truncate(interval) // of 1970: the intervals divide a day
		if end.Before(q.Time) {
			end = end.Add(interval)
		}
		if end.After(to) {
			end = to
		}
		if len(bars) == 0 || !bars[len(bars)-1].Time.Equal(end) {
			bars = append(bars, contract.Quote{Symbol: q.Symbol, Time: end})
		}
		bar := &bars[len(bars)-1]
		bar.Price, bar.Volume = q.Price, bar.Volume+q.Volume
	}
	return bars
}

// TestIntervalsAreWhatTheirQuotesAre: whatever happens to the market, for any
// span and interval, and page by page as at once.
func TestIntervalsAreWhatTheirQuotesAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := newFeed(t, Options{Interval: time.Duration(rapid.SampledFrom([]int{1, 2, 5}).Draw(rt, "step")) * time.Second})
		moment := rapid.Custom(func(rt *rapid.T) time.Time {
			return noon.Add(time.Duration(rapid.IntRange(-1200, 1200).Draw(rt, "half seconds")) * time.Second / 2)
		})
		for range rapid.IntRange(0, 4).Draw(rt, "events") {
			e := Event{
				Kind: rapid.SampledFrom([]string{Halt, Crash, Spike, Gap, Halt}).Draw(rt, "kind"),
				At:   moment.Draw(rt, "at"),
				For:  Duration(time.Duration(rapid.IntRange(1, 300).Draw(rt, "for")) * time.Second),
			}
			if e.Kind != Halt {
				e.Percent = float64(rapid.IntRange(1, 99).Draw(rt, "percent"))
			}
			_, err := f.Add(e)
			require.NoError(rt, err)
		}
		for range rapid.IntRange(0, 4).Draw(rt, "injected") {
			_, err := f.Inject(contract.Quote{Symbol: "ACME", Price: 1 + float64(rapid.IntRange(0, 1000).Draw(rt, "price")), Volume: 3, Time: moment.Draw(rt, "time")})
			require.NoError(rt, err)
		}
		from := moment.Draw(rt, "from")
		to := moment.Filter(func(to time.Time) bool { return !to.Before(from) }).Draw(rt, "to")
		quotes := f.history("ACME", from, to)
		for i, q := range quotes {
			require.NoError(rt, q.Check())
			require.True(rt, q.Time.After(from) && !q.Time.After(to))
			require.True(rt, i == 0 || q.Time.After(quotes[i-1].Time))
		}
		interval := rapid.SampledFrom([]time.Duration{5 * time.Second, 20 * time.Second, time.Minute, time.Hour}).Draw(rt, "interval")
		tapes := []*tape{newTape("ACME", f.series["ACME"], f.book)}
		bars, more := page(tapes, from.UnixNano(), to.UnixNano(), 1_000_000, int64(interval))
		require.False(rt, more)
		require.Equal(rt, plainBars(quotes, to, interval), bars)

		var paged []contract.Quote
		for after := from.UnixNano(); ; {
			quotes, more := page(tapes, after, to.UnixNano(), 3, int64(interval))
			paged = append(paged, quotes...)
			if !more {
				break
			}
			after = quotes[len(quotes)-1].Time.UnixNano()
		}
		require.Equal(rt, bars, paged)
	})
}

func TestAMonthOfHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{})
		time.Sleep(31 * 24 * time.Hour)
		body := f.get("/v1/history?symbols=ACME&interval=1h&from=2000-01-01T00:00:00Z")
		require.Len(t, body.Quotes, 31*24)
		require.Zero(t, body.Next)
		for i, q := range body.Quotes {
			require.Equal(t, time.Date(2000, 1, 1, 1+i, 0, 0, 0, time.UTC), q.Time)
		}
	})
}

// BenchmarkAMonthOfHours is one request for a month of hourly history.
func BenchmarkAMonthOfHours(b *testing.B) {
	f := newFeed(b, Options{Rate: -1})
	path := historyPath("ACME", noon.AddDate(0, -1, 0), noon, "&interval=1h")
	b.ReportAllocs()
	for b.Loop() {
		if w := f.call(http.MethodGet, path, ""); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkQuotesOfAll is one poll of all symbols.
func BenchmarkQuotesOfAll(b *testing.B) {
	f := newFeed(b, Options{Rate: -1})
	var all []string
	for _, s := range f.Symbols() {
		all = append(all, s.Symbol)
	}
	path := "/v1/quotes?symbols=" + strings.Join(all, ",")
	b.ReportAllocs()
	for b.Loop() {
		if w := f.call(http.MethodGet, path, ""); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

func TestItListensAndCloses(t *testing.T) {
	t.Parallel()
	m, err := Start(Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer m.Close()
	client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	post := func(path, body string) {
		answer, err := client.Post(m.URL()+path, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		defer answer.Body.Close()
		require.Equal(t, http.StatusCreated, answer.StatusCode)
	}
	stream, err := client.Get(m.URL() + "/v1/stream?symbols=ACME")
	require.NoError(t, err)
	defer stream.Body.Close()
	require.Equal(t, "text/event-stream", stream.Header.Get("Content-Type"))
	post("/v1/events", `{"kind":"halt","symbol":"ACME","for":"1h"}`)
	post("/v1/quotes", `{"symbol":"ACME","price":42.5,"volume":7}`)
	injected := readUntil(t, stream.Body, `"price":42.5`)
	require.Contains(t, injected, `"volume":7`)

	port := mustPort(t, m.URL())
	_, err = Start(Options{Port: port})
	require.ErrorContains(t, err, "start market feed")

	require.NoError(t, m.Close(), "with a stream open")
	require.NoError(t, m.Close(), "again")
	_, err = io.Copy(io.Discard, stream.Body)
	require.NoError(t, err, "the stream ends")
	_, err = client.Get(m.URL() + "/v1/symbols")
	require.Error(t, err)
}

func TestAFeedThatIsCutClosesConnections(t *testing.T) {
	t.Parallel()
	m, err := Start(Options{})
	require.NoError(t, err)
	defer m.Close()
	client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	stream, err := client.Get(m.URL() + "/v1/stream?symbols=ACME")
	require.NoError(t, err)
	defer stream.Body.Close()
	_, err = m.Add(Event{Kind: FeedDown, For: Duration(time.Hour), Cut: true})
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, stream.Body)
	require.Error(t, err, "the stream is cut, not ended")
	_, err = client.Get(m.URL() + "/v1/quotes?symbols=ACME")
	require.ErrorIs(t, err, io.EOF)
}

func readUntil(t *testing.T, r io.Reader, text string) string {
	t.Helper()
	var read bytes.Buffer
	for part := make([]byte, 4096); !bytes.Contains(read.Bytes(), []byte(text)); {
		n, err := r.Read(part)
		read.Write(part[:n])
		require.NoError(t, err)
	}
	return read.String()
}

func mustPort(t *testing.T, address string) (port int) {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	_, err = fmt.Sscan(parsed.Port(), &port)
	require.NoError(t, err)
	return port
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	for says, o := range map[string]Options{
		"interval 1ns":             {Interval: 1},
		"speed -1":                 {Speed: -1},
		"script /none/script.json": {Script: "/none/script.json"},
		"find recorded quotes":     {CSV: []string{"/none"}},
		"not a directory":          {Dir: "/dev/null/x"},
	} {
		_, err := New(o)
		require.ErrorContains(t, err, says)
	}
}

package quotes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/contract"
	emulator "github.com/drydock/drydock/emulator/market"
	server "github.com/drydock/drydock/emulator/nats"
	"github.com/drydock/drydock/market"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

// feed is a vendor with the API of Drydock's own, whose market the test moves.
type feed struct {
	*httptest.Server
	mu     sync.Mutex
	tape   []contract.Quote // what there was, in order
	latest map[string]contract.Quote
	fault  http.HandlerFunc // answers instead, when there is one
	asked  map[string]int   // requests, by path
}

func newFeed(t *testing.T, symbols ...string) *feed {
	t.Helper()
	f := &feed{latest: map[string]contract.Quote{}, asked: map[string]int{}}
	routes := http.NewServeMux()
	routes.HandleFunc("/v1/symbols", func(w http.ResponseWriter, _ *http.Request) {
		named := []map[string]string{}
		for _, symbol := range symbols {
			named = append(named, map[string]string{"symbol": symbol})
		}
		json.NewEncoder(w).Encode(map[string]any{"symbols": named})
	})
	routes.HandleFunc("/v1/quotes", func(w http.ResponseWriter, r *http.Request) {
		quotes := []contract.Quote{}
		for symbol := range strings.SplitSeq(r.URL.Query().Get("symbols"), ",") {
			if quote, found := f.latest[symbol]; found {
				quotes = append(quotes, quote)
			}
		}
		json.NewEncoder(w).Encode(map[string]any{"quotes": quotes})
	})
	routes.HandleFunc("/v1/history", f.history)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.asked[r.URL.Path]++
		if f.fault != nil {
			f.fault(w, r)
			return
		}
		routes.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *feed) history(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	from, _ := time.Parse(time.RFC3339Nano, query.Get("from"))
	to, _ := time.Parse(time.RFC3339Nano, query.Get("to"))
	answer := map[string]any{}
	quotes := []contract.Quote{}
	for _, quote := range f.tape {
		if !quote.Time.After(from) || quote.Time.After(to) || !slices.Contains(strings.Split(query.Get("symbols"), ","), quote.Symbol) {
			continue
		}
		if len(quotes) >= 50 && quotes[len(quotes)-1].Time.Before(quote.Time) {
			answer["next"] = quotes[len(quotes)-1].Time
			break
		}
		quotes = append(quotes, quote)
	}
	answer["quotes"] = quotes
	json.NewEncoder(w).Encode(answer)
}

// moves puts quotes on the tape; the latest are what is asked for.
func (f *feed) moves(quotes ...contract.Quote) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, quote := range quotes {
		f.tape = append(f.tape, quote)
		f.latest[quote.Symbol] = quote
	}
}

func (f *feed) set(fault http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

func (f *feed) requests(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[path]
}

var noon = time.Now().UTC().Truncate(time.Hour).Add(-24 * time.Hour)

func quote(symbol string, second int) contract.Quote {
	return contract.Quote{Symbol: symbol, Price: float64(100 + second), Volume: 1, Time: noon.Add(time.Duration(second) * time.Second)}
}

// patience is how long a test waits for what has to happen, on a busy machine.
const patience = time.Minute

// bench is a worker on a real bus and real records.
type bench struct {
	*Worker
	url  string // of the server
	t    *testing.T
	ctx  context.Context
	bus  cloud.Bus
	feed *feed
	tick time.Time
}

func setUp(t *testing.T, settings Settings, symbols ...string) *bench {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	t.Cleanup(cancel)
	s, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	bus, err := nats.OpenBus(ctx, s.URL())
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })
	records, err := nats.OpenRecords(ctx, s.URL(), contract.QuotesCollection)
	require.NoError(t, err)
	t.Cleanup(func() { records.Close() })
	b := &bench{url: s.URL(), t: t, ctx: ctx, bus: bus, feed: newFeed(t, symbols...)}
	b.Worker = b.worker(Options{Bus: bus, Records: records, Settings: settings})
	return b
}

// worker makes a worker on the bench's feed, as after a restart.
func (b *bench) worker(o Options) *Worker {
	b.t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	if o.Missed == "" {
		o.Missed = CatchUp
	}
	if o.Cron == "" {
		o.Every = defaultEvery
	}
	client, err := market.Open(market.Options{
		Getenv: func(string) string { return b.feed.URL }, Records: o.Records, Logger: o.Logger,
	})
	require.NoError(b.t, err)
	b.t.Cleanup(func() { client.Close() })
	o.Market = client
	return New(o)
}

// poll hands the worker the next tick.
func (b *bench) poll() error {
	b.t.Helper()
	b.tick = time.Now().Add(time.Second)
	return b.Handle(b.ctx, cloud.Event{ID: b.tick.String(), Time: b.tick})
}

// published returns the quotes on the bus, by symbol, until the given number
// has come and nothing more.
func (b *bench) published(want int) map[string][]contract.Quote {
	b.t.Helper()
	require.NoError(b.t, b.bus.Publish(b.ctx, "quotes.end", cloud.Event{ID: time.Now().String(), Source: "/t", Type: "t"}))
	found, count := map[string][]contract.Quote{}, 0
	last := cloud.Position(0)
	for entry, err := range b.bus.Read(b.ctx, "quotes.>", cloud.Start{}) {
		require.NoError(b.t, err)
		require.Greater(b.t, entry.Position, last)
		last = entry.Position
		if entry.Topic == "quotes.end" {
			if count >= want {
				break
			}
			continue
		}
		quote, err := contract.ParseQuote(entry.Event.Data)
		require.NoError(b.t, err)
		assert.Equal(b.t, contract.TopicQuote(quote.Symbol), entry.Topic)
		assert.Equal(b.t, quote.ID(), entry.Event.ID)
		assert.Equal(b.t, "/drydock/quotes", entry.Event.Source)
		assert.Equal(b.t, "dev.drydock.quotes.quote", entry.Event.Type)
		assert.Equal(b.t, quote.Symbol, entry.Event.Subject)
		assert.True(b.t, quote.Time.Equal(entry.Event.Time))
		found[quote.Symbol] = append(found[quote.Symbol], quote)
		count++
	}
	return found
}

func TestAChangeIsPublishedOnce(t *testing.T) {
	for _, missed := range []Missed{CatchUp, Skip} {
		t.Run(string(missed), func(t *testing.T) {
			b := setUp(t, Settings{Missed: missed}, "A", "B", "^C=/")
			require.NoError(t, b.poll(), "there is no quote yet")
			b.feed.moves(quote("A", 0), quote("^C=/", 0))
			require.NoError(t, b.poll())
			require.NoError(t, b.poll())
			b.feed.moves(quote("A", 1), quote("B", 1))
			require.NoError(t, b.poll())
			assert.Equal(t, map[string][]contract.Quote{
				"A": {quote("A", 0), quote("A", 1)}, "B": {quote("B", 1)}, "^C=/": {quote("^C=/", 0)},
			}, b.published(4))
		})
	}
}

func TestAQuoteContinuesTheTraceOfItsTick(t *testing.T) {
	b := setUp(t, Settings{}, "A")
	b.feed.moves(quote("A", 0))
	tick := cloud.NamedTrace("tick")
	require.NoError(t, b.Handle(cloud.WithTrace(b.ctx, tick.String()), cloud.Event{ID: "1", Time: time.Now().Add(time.Second)}))
	for entry, err := range b.bus.Read(b.ctx, "quotes.>", cloud.Start{}) {
		require.NoError(t, err)
		assert.Equal(t, tick.ID(), entry.Event.Trace().ID())
		break
	}
}

func TestWhatIsNotNewerIsNotPublished(t *testing.T) {
	for _, missed := range []Missed{CatchUp, Skip} {
		t.Run(string(missed), func(t *testing.T) {
			b := setUp(t, Settings{Missed: missed}, "A")
			for _, second := range []int{5, 5, 3, 4, 6} {
				b.feed.moves(quote("A", second))
				require.NoError(t, b.poll())
			}
			assert.Equal(t, []contract.Quote{quote("A", 5), quote("A", 6)}, b.published(2)["A"])
		})
	}
}

// play puts a stretch of the market on the tape.
func (b *bench) play(from, to int, symbols ...string) {
	for second := from; second < to; second++ {
		for _, symbol := range symbols {
			b.feed.moves(quote(symbol, second))
		}
	}
}

func stretch(symbol string, from, to int) (quotes []contract.Quote) {
	for second := from; second < to; second++ {
		quotes = append(quotes, quote(symbol, second))
	}
	return quotes
}

func TestAfterAnOutageAllThatWasMissedIsPublishedInOrder(t *testing.T) {
	b := setUp(t, Settings{Missed: CatchUp}, "A", "B", "C")
	b.play(0, 3, "A", "B") // before the start
	require.NoError(t, b.poll())
	b.feed.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	b.play(3, 100, "A", "B", "C")
	require.Error(t, b.poll())
	require.Error(t, b.Ready(b.ctx))
	b.feed.set(nil)
	require.Eventually(t, func() bool { return b.poll() == nil }, patience, 50*time.Millisecond, "the breaker closes")
	require.NoError(t, b.Ready(b.ctx))
	b.Worker = b.worker(b.Options) // and the worker is away as well
	b.play(100, 200, "B", "C")
	require.NoError(t, b.poll())
	found := b.published(98 + 198 + 101)
	assert.Equal(t, stretch("A", 2, 100), found["A"])
	assert.Equal(t, stretch("B", 2, 200), found["B"])
	assert.Equal(t, stretch("C", 99, 200), found["C"], "which had no position at first")
}

func TestWhatIsSkippedIsNotPublished(t *testing.T) {
	b := setUp(t, Settings{Missed: Skip}, "A")
	b.play(0, 1, "A")
	require.NoError(t, b.poll())
	b.play(1, 50, "A")
	require.NoError(t, b.poll())
	assert.Equal(t, []contract.Quote{quote("A", 0), quote("A", 49)}, b.published(2)["A"])
	assert.Zero(t, b.feed.requests("/v1/history"))
}

func TestBackfillBeginsInThePast(t *testing.T) {
	b := setUp(t, Settings{Missed: CatchUp, Backfill: 20 * time.Second}, "A")
	b.play(0, 100, "A")
	require.NoError(t, b.poll())
	assert.Equal(t, stretch("A", 80, 100), b.published(20)["A"])
}

func TestOnlyChosenSymbolsArePolled(t *testing.T) {
	b := setUp(t, Settings{Symbols: []string{"B", "D", "Z"}}, "A", "B", "D")
	b.play(0, 1, "A", "B", "D")
	require.NoError(t, b.poll())
	assert.Equal(t, []string{"B", "D"}, slices.Sorted(maps.Keys(b.published(2))))
}

// crash loses the notes of positions while it is set.
type crash struct {
	cloud.Records
	on atomic.Bool
}

func (c *crash) Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	if c.on.Load() && strings.HasPrefix(key, positionsPrefix) {
		return 0, errors.New("killed")
	}
	return c.Records.Put(ctx, key, value, revision, keep)
}

func TestAKillBetweenPublishingAndItsNoteLosesAndDoublesNothing(t *testing.T) {
	b := setUp(t, Settings{}, "A", "B")
	b.play(0, 1, "A", "B")
	require.NoError(t, b.poll())
	b.play(1, 30, "A", "B")
	records := &crash{Records: b.Records}
	records.on.Store(true)
	options := b.Options
	options.Records = records
	b.Worker = b.worker(options)
	require.ErrorContains(t, b.poll(), "killed")
	b.play(30, 40, "A", "B")
	options.Records = records.Records
	b.Worker = b.worker(options)
	require.NoError(t, b.poll())
	assert.Equal(t, map[string][]contract.Quote{"A": stretch("A", 0, 40), "B": stretch("B", 0, 40)}, b.published(80))
}

// failing is a bus that refuses some events.
type failing struct {
	cloud.Bus
	refuse func(cloud.Event) bool
}

func (f failing) Publish(ctx context.Context, topic string, event cloud.Event) error {
	if f.refuse(event) {
		return errors.New("the bus is away")
	}
	return f.Bus.Publish(ctx, topic, event)
}

func TestWhatCouldNotBePublishedComesNextInOrder(t *testing.T) {
	b := setUp(t, Settings{}, "A", "B")
	b.play(0, 1, "A", "B")
	require.NoError(t, b.poll())
	b.play(1, 30, "A", "B")
	var refused atomic.Bool
	options := b.Options
	options.Bus = failing{b.bus, func(event cloud.Event) bool {
		return event.ID == quote("A", 10).ID() && refused.CompareAndSwap(false, true)
	}}
	b.Worker = b.worker(options)
	require.ErrorContains(t, b.poll(), "the bus is away")
	require.NoError(t, b.poll())
	assert.Equal(t, map[string][]contract.Quote{"A": stretch("A", 0, 30), "B": stretch("B", 0, 30)}, b.published(60))
}

func TestTwoInstancesThatPollAtOncePublishNothingTwice(t *testing.T) {
	b := setUp(t, Settings{}, "A", "B", "C")
	b.play(0, 1, "A", "B", "C")
	require.NoError(t, b.poll())
	b.play(1, 40, "A", "B", "C")
	other := b.worker(b.Options)
	tick := cloud.Event{Time: time.Now().Add(time.Hour)}
	var group sync.WaitGroup
	for _, w := range []*Worker{b.Worker, other} {
		group.Go(func() {
			assert.Eventually(t, func() bool { return w.Handle(b.ctx, tick) == nil }, patience, 10*time.Millisecond)
		})
	}
	group.Wait()
	assert.Equal(t, map[string][]contract.Quote{"A": stretch("A", 0, 40), "B": stretch("B", 0, 40), "C": stretch("C", 0, 40)}, b.published(120))
}

func TestAllThatTheEmulatorsFeedHadIsPublished(t *testing.T) {
	b := setUp(t, Settings{})
	emulated, err := emulator.Start(emulator.Options{Seed: 7, Interval: 100 * time.Millisecond, Rate: -1})
	require.NoError(t, err)
	t.Cleanup(func() { emulated.Close() })
	b.feed.URL = emulated.URL()
	b.Worker = b.worker(b.Options)
	require.NoError(t, b.poll())
	_, err = emulated.Add(emulator.Event{Kind: emulator.FeedDown, For: emulator.Duration(2 * time.Second)})
	require.NoError(t, err)
	require.Error(t, b.poll())
	require.Eventually(t, func() bool { return b.poll() == nil }, patience, 50*time.Millisecond)
	require.NoError(t, b.poll())
	for symbol, quotes := range b.published(1) {
		first, last := quotes[0], quotes[len(quotes)-1]
		require.Greater(t, len(quotes), 10)
		history, err := emulated.History([]string{symbol}, first.Time, last.Time)
		require.NoError(t, err)
		assert.Equal(t, history, quotes[1:], symbol)
	}
}

func TestManySymbolsInFewRecords(t *testing.T) {
	var symbols []string
	for i := range 2000 {
		symbols = append(symbols, "S"+strconv.Itoa(i))
	}
	b := setUp(t, Settings{Missed: Skip}, symbols...)
	b.play(0, 1, symbols...)
	require.NoError(t, b.poll())
	assert.Len(t, b.published(2000), 2000)
	records := 0
	for record, err := range b.Records.List(b.ctx, "") {
		require.NoError(t, err)
		assert.Less(t, len(record.Value), 16<<10)
		records++
	}
	assert.LessOrEqual(t, records, contract.QuotePartitions+1)
}

func TestAPollDoesTheTicksThatWereDueBeforeIt(t *testing.T) {
	b := setUp(t, Settings{}, "A")
	b.play(0, 1, "A")
	began := time.Now()
	require.NoError(t, b.poll())
	asked := b.feed.requests("/v1/quotes")
	for late := range 5 {
		require.NoError(t, b.Handle(b.ctx, cloud.Event{Time: began.Add(-time.Duration(late) * time.Minute)}))
	}
	assert.Equal(t, asked, b.feed.requests("/v1/quotes"))
	require.NoError(t, b.poll())
	assert.Equal(t, asked+1, b.feed.requests("/v1/quotes"))
}

func TestTicksOfTheScheduleArePolledUntilTheStop(t *testing.T) {
	b := setUp(t, Settings{}, "A")
	b.play(0, 5, "A")
	ctx, stop := context.WithCancel(b.ctx)
	ended, subscribed := make(chan error, 1), make(chan struct{})
	b.Subscribed = func() { close(subscribed) }
	go func() { ended <- b.Run(ctx) }()
	<-subscribed
	for i := range 3 {
		tick := cloud.Event{ID: strconv.Itoa(i), Source: "/t", Type: "t", Time: time.Now().Add(time.Duration(i) * time.Minute)}
		require.NoError(t, b.bus.Publish(b.ctx, cloud.ScheduleTopic(Name), tick))
	}
	require.Eventually(t, func() bool { return b.feed.requests("/v1/quotes") == 3 }, patience, 10*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
	assert.Equal(t, []contract.Quote{quote("A", 4)}, b.published(1)["A"])
}

func TestTheDeclaredScheduleDrivesSeveralInstancesInTurn(t *testing.T) {
	b := setUp(t, Settings{Every: time.Second}, "A", "B")
	schedules, err := nats.OpenSchedules(b.ctx, b.url)
	require.NoError(t, err)
	t.Cleanup(func() { schedules.Close() })
	require.NoError(t, schedules.Declare(b.ctx, Settings{Every: time.Second}.Schedule()))
	ctx, stop := context.WithCancel(b.ctx)
	ended := make(chan error, 2)
	for _, w := range []*Worker{b.Worker, b.worker(b.Options)} {
		go func() { ended <- w.Run(ctx) }()
	}
	b.play(0, 1, "A", "B")
	require.Eventually(t, func() bool { return b.feed.requests("/v1/quotes") >= 1 }, patience, 10*time.Millisecond)
	for polls := 1; polls <= 3; polls++ {
		b.play(polls*10-9, polls*10+1, "A", "B")
		asked := b.feed.requests("/v1/history")
		require.Eventually(t, func() bool { return b.feed.requests("/v1/history") > asked }, patience, 10*time.Millisecond)
	}
	stop()
	require.NoError(t, errors.Join(<-ended, <-ended))
	for _, symbol := range []string{"A", "B"} {
		quotes := b.published(1)[symbol]
		assert.Equal(t, stretch(symbol, 0, 31)[31-len(quotes):], quotes, "all since the first that was published")
		assert.Greater(t, len(quotes), 20)
	}
}

func TestAnOutageOfTheVendorUsesUpNoTick(t *testing.T) {
	b := setUp(t, Settings{}, "A")
	b.play(0, 1, "A")
	b.feed.set(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	ctx, stop := context.WithCancel(b.ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	require.NoError(t, b.bus.Publish(b.ctx, cloud.ScheduleTopic(Name), cloud.Event{ID: "1", Source: "/t", Type: "t", Time: time.Now().Add(time.Minute)}))
	require.Eventually(t, func() bool { return b.feed.requests("/v1/symbols") >= 5 }, patience, 10*time.Millisecond)
	b.feed.set(nil)
	assert.Equal(t, []contract.Quote{quote("A", 0)}, b.eventually(1)["A"])
	stop()
	require.NoError(t, <-ended)
}

// eventually is published once there is as much.
func (b *bench) eventually(want int) map[string][]contract.Quote {
	b.t.Helper()
	count := 0
	for entry, err := range b.bus.Read(b.ctx, "quotes.>", cloud.Start{}) {
		require.NoError(b.t, err)
		if count++; count == want || entry.Topic == "" {
			break
		}
	}
	return b.published(want)
}

func TestFaultsOfTheFeedPublishNothingWrong(t *testing.T) {
	for name, fault := range map[string]http.HandlerFunc{
		"garbage": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"wrong types": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"quotes":[{"symbol":7,"price":[],"time":{}}],"symbols":[]}`)
		},
		"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"quotes":[`)
			panic(http.ErrAbortHandler)
		},
		"429": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t, Settings{}, "A")
			b.play(0, 1, "A")
			require.NoError(t, b.poll())
			b.feed.set(fault)
			b.play(1, 20, "A")
			_ = b.poll() // what comes of it is the runner's
			b.feed.set(nil)
			require.NoError(t, b.poll())
			assert.Equal(t, stretch("A", 0, 20), b.published(20)["A"])
		})
	}
}

func TestMetrics(t *testing.T) {
	b := setUp(t, Settings{}, "A")
	registry := prometheus.NewPedanticRegistry()
	options := b.Options
	options.Registerer = registry
	b.Worker = b.worker(options)
	b.play(0, 1, "A")
	require.NoError(t, b.poll())
	families, err := registry.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, family := range families {
		metric := family.GetMetric()[0]
		got[family.GetName()] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
	}
	assert.InDelta(t, time.Since(noon).Seconds(), got["drydock_quotes_lag_seconds"], 60)
	delete(got, "drydock_quotes_lag_seconds")
	assert.Equal(t, map[string]float64{"drydock_quotes_published_total": 1, "drydock_quotes_poll_seconds": 1}, got)
}

func TestSettings(t *testing.T) {
	t.Parallel()
	read := func(text string) (Settings, error) {
		environment := map[string]string{}
		for pair := range strings.FieldsSeq(text) {
			name, value, _ := strings.Cut(pair, "=")
			if name != "MISSED" {
				value = strings.ReplaceAll(value, "_", " ")
			}
			environment["DRYDOCK_"+name] = value
		}
		return ReadSettings(func(name string) string { return environment[name] })
	}
	for text, want := range map[string]Settings{
		"":                            {Missed: CatchUp, Every: 5 * time.Second},
		"MISSED=skip EVERY=1m":        {Missed: Skip, Every: time.Minute},
		"CRON=0_0_9_*_*_* SYMBOLS=*":  {Missed: CatchUp, Cron: "0 0 9 * * *"},
		"CRON=@daily TIME_ZONE=Zulu":  {Missed: CatchUp, Cron: "@daily", TimeZone: "Zulu"},
		"SYMBOLS=B,_A,B BACKFILL=24h": {Missed: CatchUp, Every: 5 * time.Second, Symbols: []string{"A", "B"}, Backfill: 24 * time.Hour},
	} {
		got, err := read(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, says := range map[string]string{
		"MISSED=perhaps":            `DRYDOCK_MISSED="perhaps": it takes catch_up or skip`,
		"EVERY=5":                   `DRYDOCK_EVERY="5": it takes a duration`,
		"EVERY=1ms":                 `DRYDOCK_EVERY="1ms": it takes a duration of at least 1s`,
		"EVERY=5s CRON=@daily":      "are both set",
		"TIME_ZONE=UTC":             "DRYDOCK_TIME_ZONE is set without DRYDOCK_CRON",
		"BACKFILL=-1h":              `DRYDOCK_BACKFILL="-1h": it takes`,
		"BACKFILL=1h MISSED=skip":   "publishes no history",
		"SYMBOLS=A,b_c":             `DRYDOCK_SYMBOLS: "b c" is not a symbol`,
		"SYMBOLS=A,":                `DRYDOCK_SYMBOLS: "" is not a symbol`,
		"SYMBOLS=" + tooManyNames(): "it takes at most 10000",
	} {
		_, err := read(text)
		assert.ErrorContains(t, err, says, text[:min(len(text), 80)])
	}
}

func tooManyNames() string {
	names := make([]string, MaxSymbols+1)
	for i := range names {
		names[i] = fmt.Sprint("S", i)
	}
	return strings.Join(names, ",")
}

func TestTheScheduleKeepsOrDropsWhatIsLate(t *testing.T) {
	t.Parallel()
	for missed, keep := range map[Missed]time.Duration{CatchUp: 0, Skip: 5 * time.Second} {
		schedule := Settings{Missed: missed, Every: 5 * time.Second}.Schedule()
		assert.Equal(t, "quotes", schedule.Name)
		assert.Equal(t, keep, schedule.Keep)
	}
	assert.Equal(t, time.Minute, Settings{Missed: Skip, Cron: "@daily"}.Schedule().Keep)
}

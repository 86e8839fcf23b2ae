package alerts_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	natsclient "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/contract/rules"
	server "github.com/drydock/drydock/emulator/nats"
	"github.com/drydock/drydock/workers/alerts"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

var opening = time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC)

// deadline is long because the machine may be busy with others.
const deadline = 2 * time.Minute

// market is a server, what the test publishes on it, and what comes of it.
type market struct {
	t      *testing.T
	ctx    context.Context
	server *server.Server
	dir    string
	bus    *nats.Bus
	rules  *nats.Records
	states *nats.Records
	random *rand.Rand

	set    []contract.Rule
	quotes []contract.Quote // in the order of the stream
}

func open(t *testing.T) *market {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 4*deadline)
	t.Cleanup(cancel)
	m := &market{t: t, ctx: ctx, dir: t.TempDir(), random: rand.New(rand.NewPCG(1, 2))}
	var err error
	m.server, err = server.Start(server.Options{Dir: m.dir})
	require.NoError(t, err)
	t.Cleanup(func() { m.server.Close() })
	m.bus, err = nats.OpenBus(ctx, m.server.URL())
	require.NoError(t, err)
	t.Cleanup(func() { m.bus.Close() })
	m.rules, err = nats.OpenRecords(ctx, m.server.URL(), contract.AlertsCollection)
	require.NoError(t, err)
	t.Cleanup(func() { m.rules.Close() })
	m.states, err = nats.OpenRecords(ctx, m.server.URL(), contract.AlertStatesCollection)
	require.NoError(t, err)
	t.Cleanup(func() { m.states.Close() })
	return m
}

func symbol(i int) string { return fmt.Sprintf("S%02d", i) }

// put writes a rule, over an earlier one of its ID.
func (m *market) put(r contract.Rule) {
	m.t.Helper()
	value, err := json.Marshal(r)
	require.NoError(m.t, err)
	key := contract.RecordKey(r.Owner, r.ID)
	record, err := m.rules.Get(m.ctx, key)
	if err != nil {
		require.ErrorIs(m.t, err, cloud.ErrNotFound)
	}
	_, err = m.rules.Put(m.ctx, key, value, record.Revision, 0)
	require.NoError(m.t, err)
	m.set = append(m.set, r)
}

// setRules makes rules of every kind.
func (m *market) setRules(count, symbols int) {
	m.t.Helper()
	for i := range count {
		c := contract.Condition{Hysteresis: []float64{0, 0.5, 2}[m.random.IntN(3)]}
		switch m.random.IntN(5) {
		case 0:
			c.Kind, c.Price = contract.Above, 95+m.random.Float64()*10
		case 1:
			c.Kind, c.Price = contract.Below, 95+m.random.Float64()*10
		case 2:
			c.Kind, c.Price = contract.Crosses, 95+m.random.Float64()*10
		case 3:
			c.Kind, c.Percent, c.Window = contract.Change, m.random.Float64()*8-4, 5+m.random.IntN(60)
		case 4:
			c.Kind, c.Factor, c.Window = contract.Volume, 1.5+m.random.Float64(), 5+m.random.IntN(60)
		}
		m.put(contract.Rule{
			ID: contract.NewUploadID(opening), Owner: fmt.Sprintf("owner-%d", i%7), Symbol: symbol(m.random.IntN(symbols)), Condition: c,
			Repeat: m.random.IntN(4) > 0, CoolDown: []int{0, 0, 10}[m.random.IntN(3)], Created: opening, Changed: opening,
		})
	}
}

// trade publishes quotes: prices wander, some quotes come twice or late, and
// some are none.
func (m *market) trade(count, symbols int) {
	m.t.Helper()
	for range count {
		i := len(m.quotes)
		at := opening.Add(time.Duration(i+1) * time.Second)
		if m.random.IntN(20) == 0 {
			at = at.Add(-time.Minute)
		}
		q := contract.Quote{Symbol: symbol(m.random.IntN(symbols)), Price: 100 + 10*m.random.Float64() - 5, Volume: float64(m.random.IntN(100)), Time: at}
		m.publish(q, fmt.Sprint("quote-", i))
	}
}

// traceOf is the trace of the quotes that a symbol has at a time.
func traceOf(symbol string, at time.Time) cloud.Trace {
	return cloud.NamedTrace(contract.Quote{Symbol: symbol, Time: at}.ID())
}

func (m *market) publish(q contract.Quote, id string) {
	m.t.Helper()
	data, err := json.Marshal(q)
	require.NoError(m.t, err)
	require.NoError(m.t, m.bus.Publish(m.ctx, contract.TopicQuote(q.Symbol), cloud.Event{
		ID: id, Source: "/t", Type: "t", TraceParent: traceOf(q.Symbol, q.Time).String(), Data: data,
	}))
	m.quotes = append(m.quotes, q)
}

// expected are the alerts' IDs by the rules' own meaning, each rule by itself
// over all quotes. Of a rule that was set anew the versions take turns.
func (m *market) expected() []string {
	var ids []string
	for _, r := range m.set {
		engine := rules.New(0)
		_, err := engine.Put(nil, r)
		require.NoError(m.t, err)
		engine.Resume(nil)
		for _, q := range m.quotes {
			if q.Symbol == r.Symbol {
				for _, a := range engine.Evaluate(nil, q, 0) {
					ids = append(ids, a.ID)
				}
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// triggered follows the alerts that the bus has, each delivery of it.
type triggered struct {
	mu  sync.Mutex
	ids []string
}

func (m *market) follow() *triggered {
	got := &triggered{}
	ctx, cancel := context.WithCancel(m.ctx)
	var group sync.WaitGroup
	group.Go(func() {
		for entry, err := range m.bus.Read(ctx, contract.TopicAllTriggered, cloud.Start{}) {
			if !assert.NoError(m.t, err) {
				return
			}
			var a contract.Alert
			assert.NoError(m.t, json.Unmarshal(entry.Event.Data, &a))
			assert.Equal(m.t, entry.Event.ID, a.ID)
			assert.Equal(m.t, contract.TopicTriggered(a.Owner), entry.Topic)
			assert.Equal(m.t, traceOf(a.Symbol, a.Time).ID(), entry.Event.Trace().ID(), "it continues the trace of the quote that fired it")
			got.mu.Lock()
			got.ids = append(got.ids, a.ID)
			got.mu.Unlock()
		}
	})
	m.t.Cleanup(func() { cancel(); group.Wait() })
	return got
}

func (g *triggered) sorted() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(slices.Values(g.ids))
}

// await waits for as many alerts as there should be, and holds them against
// those: each must be there once.
func (m *market) await(got *triggered) {
	m.t.Helper()
	want := m.expected()
	require.NotEmpty(m.t, want)
	count := func() int { return len(got.sorted()) }
	for has := count(); has < len(want); has = count() { // as long as more come
		if !assert.Eventually(m.t, func() bool { return count() > has }, deadline, 20*time.Millisecond) {
			break
		}
	}
	require.Equal(m.t, want, got.sorted())
}

// settled waits until every quote is included in a checkpoint.
func (m *market) settled() {
	m.t.Helper()
	last := map[int]uint64{}
	for i, q := range m.quotes {
		last[contract.QuotePartition(q.Symbol)] = uint64(i + 1)
	}
	require.Eventually(m.t, func() bool {
		for number, position := range last {
			record, err := m.states.Get(m.ctx, fmt.Sprintf("partitions/%02d", number))
			var held struct{ Position uint64 }
			if err != nil || json.Unmarshal(record.Value, &held) != nil || held.Position < position {
				return false
			}
		}
		return true
	}, deadline, 20*time.Millisecond)
}

// options are those of a quick worker.
func (m *market) options(name string) alerts.Options {
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	if os.Getenv("DRYDOCK_TEST_LOG") != "" {
		logger = slog.New(slog.NewTextHandler(os.Stderr, nil)).With("worker", name)
	}
	return alerts.Options{
		Bus: m.bus, Rules: m.rules, States: m.states,
		Name: name, Lease: 2 * time.Second, Checkpoint: 20 * time.Millisecond,
		Logger: logger,
	}
}

// run starts a worker and returns what stops it and waits for its end.
func (m *market) run(o alerts.Options) (stop func()) {
	ctx, cancel := context.WithCancel(m.ctx)
	ended := make(chan error, 1)
	go func() { ended <- alerts.Run(ctx, o) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			assert.NoError(m.t, <-ended)
		})
	}
	m.t.Cleanup(stop)
	return stop
}

func TestEachCrossingFiresOneAlert(t *testing.T) {
	m := open(t)
	m.setRules(60, 20)
	registry := prometheus.NewPedanticRegistry()
	o := m.options("one")
	o.Metrics = alerts.NewMetrics(registry)
	got := m.follow()
	m.trade(200, 20)
	m.run(o)
	m.trade(200, 20)
	for i, data := range []string{"", "{}", `{"symbol":"S00","price":-1,"time":"2026-03-02T15:00:00Z"}`} {
		require.NoError(t, m.bus.Publish(m.ctx, contract.TopicQuote("S00"), cloud.Event{ID: fmt.Sprint("broken-", i), Source: "/t", Type: "t", Data: []byte(data)}))
	}
	m.await(got)
	m.settled()
	counts := map[string]float64{}
	require.Eventually(t, func() bool {
		families, err := registry.Gather()
		require.NoError(t, err)
		for _, f := range families {
			counts[f.GetName()] = f.GetMetric()[0].GetCounter().GetValue() + f.GetMetric()[0].GetGauge().GetValue()
		}
		return counts["drydock_filter_quotes_unreadable_total"] == 3
	}, deadline, 20*time.Millisecond)
	assert.EqualValues(t, 400, counts["drydock_filter_quotes_total"])
	assert.EqualValues(t, len(m.expected()), counts["drydock_filter_alerts_total"])
	assert.EqualValues(t, contract.QuotePartitions, counts["drydock_filter_partitions"])
	assert.EqualValues(t, 60, counts["drydock_filter_rules"])
}

func TestAWrongLeaseIsRefused(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, alerts.Run(t.Context(), alerts.Options{Lease: time.Millisecond}), "less than 1s")
}

var errKilled = errors.New("killed")

// process is a worker that can be killed between any two of its steps:
// nothing it does after that has an effect. What it was doing may have, as
// with a process that does not live to see the answer.
type process struct {
	steps  atomic.Int64 // that are left
	killed chan struct{}
	once   sync.Once
}

func (p *process) step() error {
	if p.steps.Add(-1) < 0 {
		p.once.Do(func() { close(p.killed) })
		return errKilled
	}
	return nil
}

type mortalBus struct {
	cloud.Bus
	*process
}

func (b mortalBus) Publish(ctx context.Context, topic string, event cloud.Event) error {
	if err := b.step(); err != nil {
		return err
	}
	return errors.Join(b.Bus.Publish(ctx, topic, event), b.step())
}

type mortalRecords struct {
	cloud.Records
	*process
}

func (r mortalRecords) Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	if err := r.step(); err != nil {
		return 0, err
	}
	at, err := r.Records.Put(ctx, key, value, revision, keep)
	return at, errors.Join(err, r.step())
}

func (r mortalRecords) Delete(ctx context.Context, key string) error {
	if err := r.step(); err != nil {
		return err
	}
	return r.Records.Delete(ctx, key)
}

func (r mortalRecords) List(ctx context.Context, prefix string) iter.Seq2[cloud.Record, error] {
	if err := r.step(); err != nil {
		return func(yield func(cloud.Record, error) bool) { yield(cloud.Record{}, err) }
	}
	return r.Records.List(ctx, prefix)
}

// runMortal runs a worker until it has done so many steps and is killed.
func (m *market) runMortal(ctx context.Context, o alerts.Options, steps int) {
	p := &process{killed: make(chan struct{})}
	p.steps.Store(int64(steps))
	o.Drain = 10 * time.Millisecond
	o.Bus, o.States = mortalBus{o.Bus, p}, mortalRecords{o.States, p}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.killed:
		case <-ctx.Done():
			p.steps.Store(0) // the test is over: it does not drain either
		}
		cancel()
	}()
	assert.NoError(m.t, alerts.Run(ctx, o))
}

func TestKillsChangeNothing(t *testing.T) {
	m := open(t)
	const symbols = 40
	m.setRules(150, symbols)
	got := m.follow()
	killing, end := context.WithCancel(m.ctx)
	var group sync.WaitGroup
	kills := 0
	group.Go(func() {
		random := rand.New(rand.NewPCG(3, 4))
		for ; killing.Err() == nil; kills++ {
			m.runMortal(killing, m.options("one"), 60+random.IntN(900))
		}
	})
	m.trade(3000, symbols)
	end()
	group.Wait()
	m.run(m.options("one"))
	m.await(got)
	t.Logf("%d kills, %d alerts", kills, len(m.expected()))
	assert.Greater(t, kills, 3)
}

func TestInstancesComeAndGo(t *testing.T) {
	m := open(t)
	const symbols = 40
	m.setRules(150, symbols)
	got := m.follow()
	killing, end := context.WithCancel(m.ctx)
	var group sync.WaitGroup
	for i := range 3 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(5, uint64(i)))
			for life := 0; killing.Err() == nil; life++ {
				o := m.options(fmt.Sprintf("instance-%d-%d", i, life))
				o.Lease = time.Second
				if random.IntN(2) == 0 {
					m.runMortal(killing, o, 200+random.IntN(2000))
					continue
				}
				ctx, cancel := context.WithTimeout(killing, time.Duration(500+random.IntN(3000))*time.Millisecond)
				assert.NoError(t, alerts.Run(ctx, o))
				cancel()
			}
		})
	}
	m.trade(3000, symbols)
	end()
	group.Wait()
	m.run(m.options("last"))
	m.await(got)
}

func TestPartitionsAreSharedOutEvenly(t *testing.T) {
	m := open(t)
	owners := func() map[string]int {
		counts := map[string]int{}
		for record, err := range m.states.List(m.ctx, "partitions") {
			if !assert.NoError(t, err) {
				return nil
			}
			var held struct{ Owner string }
			assert.NoError(t, json.Unmarshal(record.Value, &held))
			counts[held.Owner]++
		}
		return counts
	}
	become := func(want map[string]int) {
		t.Helper()
		require.Eventually(t, func() bool { return assert.ObjectsAreEqual(want, owners()) }, deadline, 50*time.Millisecond, "%v", want)
	}
	m.run(m.options("a"))
	become(map[string]int{"a": 32})
	stop := m.run(m.options("b"))
	become(map[string]int{"a": 16, "b": 16})
	m.run(m.options("c"))
	become(map[string]int{"a": 11, "b": 11, "c": 10})
	stop()
	become(map[string]int{"a": 16, "c": 16})
}

func TestItGoesOnAfterTheServerWasAway(t *testing.T) {
	m := open(t)
	const symbols = 10
	m.setRules(60, symbols)
	got := m.follow()
	m.run(m.options("one"))
	m.trade(200, symbols)
	port := 0
	_, err := fmt.Sscanf(m.server.URL(), "nats://127.0.0.1:%d", &port)
	require.NoError(t, err)
	m.server.Close()
	m.server, err = server.Start(server.Options{Dir: m.dir, Port: port})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return m.bus.Ready(m.ctx) == nil }, deadline, 20*time.Millisecond)
	m.trade(200, symbols)
	m.await(got)
}

func TestRulesChangeWhileQuotesFlow(t *testing.T) {
	m := open(t)
	got := m.follow()
	m.run(m.options("one"))
	quote := func(second int, price float64) {
		m.publish(contract.Quote{Symbol: "ACME", Price: price, Time: opening.Add(time.Duration(second) * time.Second)}, fmt.Sprint(second))
	}
	rule := func(level float64, second int) contract.Rule {
		return contract.Rule{ID: contract.NewUploadID(opening), Owner: "ann", Symbol: "ACME", Repeat: true, Changed: opening.Add(time.Duration(second) * time.Second),
			Condition: contract.Condition{Kind: contract.Above, Price: level}}
	}
	count := func(n int) {
		t.Helper()
		require.Eventually(t, func() bool { return len(got.sorted()) >= n }, deadline, 10*time.Millisecond)
		assert.Len(t, got.sorted(), n)
	}
	quote(1, 90)
	m.settled()
	first := rule(100, 1)
	m.put(first)
	quote(2, 100)
	count(1)
	// The quotes have passed the time from which a rule counts: it fires all the same.
	m.put(rule(99, 1))
	count(2)
	// A change begins anew, also when the condition is met still.
	first.Changed, first.Condition.Price = opening.Add(2*time.Second), 98
	m.put(first)
	quote(3, 100)
	count(3)
	// Paused and removed rules fire no more.
	paused := first
	paused.Changed, paused.Paused = opening.Add(3*time.Second), true
	m.put(paused)
	for _, r := range m.set[1:2] {
		require.NoError(t, m.rules.Delete(m.ctx, contract.RecordKey(r.Owner, r.ID)))
	}
	probe := rule(97, 3)
	m.put(probe)
	quote(4, 90)
	quote(5, 110)
	count(4)
	assert.Contains(t, got.sorted(), contract.AlertID(probe.ID, opening.Add(5*time.Second)))
	// It is set anew for another symbol, in another partition.
	moved := probe
	moved.Changed, moved.Symbol = opening.Add(5*time.Second), "OTHER"
	require.NotEqual(t, contract.QuotePartition("ACME"), contract.QuotePartition("OTHER"))
	m.put(moved)
	m.publish(contract.Quote{Symbol: "OTHER", Price: 110, Time: opening.Add(6 * time.Second)}, "other")
	count(5)
	quote(7, 90)
	quote(8, 110)
	m.settled()
	count(5)
}

func TestARuleThatFiredOnceStaysDone(t *testing.T) {
	m := open(t)
	got := m.follow()
	m.put(contract.Rule{ID: contract.NewUploadID(opening), Owner: "ann", Symbol: "BRK.B", Changed: opening, Condition: contract.Condition{Kind: contract.Above, Price: 100}})
	quote := func(second int, price float64) {
		m.publish(contract.Quote{Symbol: "BRK.B", Price: price, Time: opening.Add(time.Duration(second) * time.Second)}, fmt.Sprint(second))
	}
	stop := m.run(m.options("one"))
	quote(1, 100)
	quote(2, 90)
	m.await(got)
	m.settled()
	stop()
	m.run(m.options("two"))
	quote(3, 100)
	m.settled()
	m.await(got)
}

func TestAStreamThatIsMadeAnewIsFollowed(t *testing.T) {
	m := open(t)
	got := m.follow()
	m.setRules(60, 5)
	m.run(m.options("one"))
	m.trade(100, 5)
	m.settled()
	m.deleteQuotes()
	m.trade(60, 5)
	m.await(got)
}

// What a window had of the stream that was is gone with it; prices are held
// against every quote there is.
func TestAStreamThatWasMadeAnewBetweenTwoOwnersIsReadFromItsBeginning(t *testing.T) {
	m := open(t)
	got := m.follow()
	for i := range 20 {
		m.put(contract.Rule{
			ID: contract.NewUploadID(opening), Owner: "ann", Symbol: symbol(i % 5), Repeat: true, Created: opening, Changed: opening,
			Condition: contract.Condition{Kind: contract.Crosses, Price: 97 + m.random.Float64()*6},
		})
	}
	stop := m.run(m.options("one"))
	m.trade(100, 5)
	m.settled()
	stop()
	m.deleteQuotes()
	m.trade(150, 5) // it is farther already than the old one was
	m.run(m.options("two"))
	m.await(got)
}

// deleteQuotes deletes the stream of quotes; who publishes the next one makes it anew.
func (m *market) deleteQuotes() {
	m.t.Helper()
	client, err := natsclient.Connect(m.server.URL())
	require.NoError(m.t, err)
	defer client.Close()
	js, err := jetstream.New(client)
	require.NoError(m.t, err)
	require.NoError(m.t, js.DeleteStream(m.ctx, "quotes"))
}

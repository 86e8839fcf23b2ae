package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/contract"
	natsserver "github.com/drydock/drydock/emulator/nats"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The nats-server's process-wide clock.
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
	)
}

// patience is how long a test waits for what has to happen.
const patience = 60 * time.Second

// past is a market with a past of its own.
type past struct {
	mu     sync.Mutex
	names  []string
	quotes []contract.Quote
	err    error // instead of anything
	asked  int   // for names
	coarse int   // reads of Past
}

func (p *past) Symbols(context.Context) ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	return p.names, p.err
}

func (p *past) History(_ context.Context, symbols []string, from, to time.Time) iter.Seq2[contract.Quote, error] {
	return func(yield func(contract.Quote, error) bool) {
		if p.err != nil {
			yield(contract.Quote{}, p.err)
			return
		}
		for _, quote := range p.quotes {
			if quote.Symbol == symbols[0] && !quote.Time.Before(from) && !quote.Time.After(to) && !yield(quote, nil) {
				return
			}
		}
	}
}

func (p *past) Past(ctx context.Context, symbols []string, from, to time.Time) iter.Seq2[contract.Quote, error] {
	p.mu.Lock()
	p.coarse++
	p.mu.Unlock()
	return p.History(ctx, symbols, from, to)
}

// errAway is what a provider says that cannot be reached.
var errAway = errors.New("away")

// bench is a service on real providers of its own, served over HTTP.
type bench struct {
	*Service
	server  *natsserver.Server
	market  *past
	bus     *nats.Bus
	rules   *nats.Records
	url     string
	client  *http.Client
	metrics *prometheus.Registry
}

// secretKey signs the links to unsubscribe.
var secretKey = []byte("a secret of some length")

// start runs a service for one test. Requests say in X-Owner whose they are.
func start(t testing.TB, changes ...func(*Options)) *bench {
	t.Helper()
	server, err := natsserver.Start(natsserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	return startOn(t, server, changes...)
}

// startOn runs one of several services on the same providers.
func startOn(t testing.TB, server *natsserver.Server, changes ...func(*Options)) *bench {
	t.Helper()
	b := serve(t, server, changes...)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	require.Eventually(t, func() bool { return b.Ready(within(t)) == nil }, patience, 10*time.Millisecond)
	return b
}

// serve answers for a service that does not run.
func serve(t testing.TB, server *natsserver.Server, changes ...func(*Options)) *bench {
	t.Helper()
	b := &bench{
		server:  server,
		market:  &past{names: []string{"ACME", "BTC-USD"}},
		metrics: prometheus.NewRegistry(),
		client:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	t.Cleanup(b.client.CloseIdleConnections)
	b.rules = records(t, server, contract.AlertsCollection)
	var err error
	b.bus, err = nats.OpenBus(within(t), server.URL())
	require.NoError(t, err)
	t.Cleanup(func() { b.bus.Close() })
	options := Options{
		Rules: b.rules, Keys: records(t, server, KeysCollection), Mail: records(t, server, contract.MailCollection),
		Bus: b.bus, History: b.market, UnsubscribeKey: secretKey,
		Registerer: b.metrics, Logger: slog.New(slog.DiscardHandler),
	}
	for _, change := range changes {
		change(&options)
	}
	b.Service = New(options)
	b.owner = func(r *http.Request) string {
		if owner := r.Header.Get("X-Owner"); owner != "" {
			return owner
		}
		return web.RequestOwner(r)
	}
	front := httptest.NewServer(b.Handler())
	t.Cleanup(front.Close)
	b.url = front.URL
	return b
}

func records(t testing.TB, server *natsserver.Server, collection string) *nats.Records {
	t.Helper()
	opened, err := nats.OpenRecords(within(t), server.URL(), collection)
	require.NoError(t, err)
	t.Cleanup(func() { opened.Close() })
	return opened
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// call sends a request for an owner and returns the answer's status, headers
// and body. Headers are pairs of name and value.
func (b *bench) call(t testing.TB, owner, method, path, body string, headers ...string) (int, http.Header, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("X-Owner", owner)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := b.client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header, data
}

// ask is call for an answer of a known status and form.
func ask[T any](t testing.TB, b *bench, owner, method, path, body string, status int, headers ...string) T {
	t.Helper()
	code, _, answer := b.call(t, owner, method, path, body, headers...)
	require.Equal(t, status, code, "%s %s: %s", method, path, answer)
	return decode[T](t, answer)
}

func decode[T any](t testing.TB, data []byte) T {
	t.Helper()
	var value T
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&value), "%s", data)
	return value
}

// problem is RFC 9457's document, as a client reads it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
		Value    any    `json:"value"`
	} `json:"errors"`
}

// simple is the body of a rule that fires over a price.
func simple(symbol string, price float64) string {
	return fmt.Sprintf(`{"symbol":%q,"condition":{"kind":"above","price":%v},"channel":{"kind":"email","address":"ann@example.com"}}`, symbol, price)
}

// webhook is the body of a rule that tells a webhook.
func webhook(address string) string {
	return fmt.Sprintf(`{"symbol":"ACME","condition":{"kind":"below","price":5},"channel":{"kind":"webhook","address":%q}}`, address)
}

// set makes a rule as a client does.
func (b *bench) set(t testing.TB, owner, body string, headers ...string) Rule {
	t.Helper()
	code, header, answer := b.call(t, owner, http.MethodPost, "/v1/alerts", body, headers...)
	require.Equal(t, http.StatusCreated, code, "%s", answer)
	rule := decode[Rule](t, answer)
	require.Equal(t, "/v1/alerts/"+rule.ID, header.Get("Location"))
	require.Equal(t, etag(rule.Revision), header.Get("ETag"))
	return rule
}

// kept reads a rule's record.
func (b *bench) kept(t testing.TB, owner, id string) contract.Rule {
	t.Helper()
	record, err := b.rules.Get(within(t), contract.RecordKey(owner, id))
	require.NoError(t, err)
	rule, err := readRule(record)
	require.NoError(t, err)
	return rule
}

// counted returns the value of one of the service's metrics.
func (b *bench) counted(t testing.TB, name string) float64 {
	t.Helper()
	families, err := b.metrics.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == name {
			metric := family.GetMetric()[0]
			return metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// changed hands requests on to real records, after a function of the test's.
type changed struct {
	cloud.Records
	before func(key string) error
}

func (c changed) Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	if err := c.before(key); err != nil {
		return 0, err
	}
	return c.Records.Put(ctx, key, value, revision, keep)
}

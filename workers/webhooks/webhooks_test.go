package webhooks

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/contract"
	server "github.com/drydock/drydock/emulator/nats"
	"github.com/drydock/drydock/workers/runner"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

// bench is a worker on a real bus, and an endpoint.
type bench struct {
	*Webhooks
	t        *testing.T
	ctx      context.Context
	url      string // of the bus
	endpoint *httptest.Server
}

var secret = secretPrefix + base64.StdEncoding.EncodeToString([]byte("a secret of 24 bytes ...."))

func setUp(t *testing.T, o Options, handle http.HandlerFunc) *bench {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	events, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { events.Close() })
	bus, err := nats.OpenBus(ctx, events.URL())
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })
	rules, err := nats.OpenRecords(ctx, events.URL(), contract.AlertsCollection)
	require.NoError(t, err)
	t.Cleanup(func() { rules.Close() })
	endpoint := httptest.NewServer(handle)
	t.Cleanup(endpoint.Close)
	o.Bus, o.Rules, o.Drain, o.Logger = bus, rules, 5*time.Second, slog.New(slog.NewTextHandler(io.Discard, nil))
	b := &bench{Webhooks: New(o), t: t, ctx: ctx, url: events.URL(), endpoint: endpoint}
	t.Cleanup(b.client.CloseIdleConnections)
	b.setRule("r1", endpoint.URL+"/hook?token=hidden", nil)
	return b
}

func (b *bench) setRule(id, address string, change func(*contract.Rule)) {
	b.t.Helper()
	rule := contract.Rule{ID: id, Owner: "ann", Symbol: "ACME", Note: "Sell.", Channel: contract.Channel{Kind: contract.Webhook, Address: address, Secret: secret}}
	if change != nil {
		change(&rule)
	}
	value, err := json.Marshal(rule)
	require.NoError(b.t, err)
	_, err = b.Rules.Put(b.ctx, contract.RecordKey("ann", id), value, 0, 0)
	require.NoError(b.t, err)
}

var crossed = time.Date(2026, 3, 2, 14, 3, 5, 0, time.UTC)

func alert(rule string) cloud.Event {
	id := contract.AlertID(rule, crossed)
	data, err := json.Marshal(contract.Alert{ID: id, Rule: rule, Owner: "ann", Symbol: "ACME", Kind: contract.Below, Price: 94.2, Time: crossed, Level: 95, Value: 94.2})
	if err != nil {
		panic(err)
	}
	return cloud.Event{ID: id, Source: "/test", Type: "test", Data: data}
}

func TestAnAlertIsPostedAndSigned(t *testing.T) {
	var got *http.Request
	var posted []byte
	b := setUp(t, Options{AllowPrivate: true}, func(_ http.ResponseWriter, r *http.Request) {
		got = r
		posted, _ = io.ReadAll(r.Body)
	})
	cause := cloud.NamedTrace("alert")
	require.NoError(t, b.Handle(cloud.WithTrace(b.ctx, cause.String()), alert("r1")))
	require.NotNil(t, got)
	assert.Equal(t, cause.ID(), cloud.ParseTrace(got.Header.Get("traceparent")).ID())
	assert.Equal(t, "POST /hook?token=hidden application/json", got.Method+" "+got.RequestURI+" "+got.Header.Get("Content-Type"))
	var said map[string]any
	require.NoError(t, json.Unmarshal(posted, &said))
	assert.Equal(t, "alert.triggered", said["type"])
	assert.Equal(t, "2026-03-02T14:03:05Z", said["timestamp"])
	data := said["data"].(map[string]any)
	assert.Equal(t, "Sell.", data["note"])
	assert.Equal(t, alert("r1").ID, data["id"])
	assert.Equal(t, 94.2, data["price"])

	// Computed here as the specification says, from what was received alone.
	id, at := got.Header.Get("webhook-id"), got.Header.Get("webhook-timestamp")
	assert.Equal(t, alert("r1").ID, id)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	require.NoError(t, err)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "." + string(posted)))
	assert.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), got.Header.Get("webhook-signature"))
}

// TestTheSignatureIsThatOfTheSpecification uses an example that others publish:
// https://github.com/standard-webhooks/standard-webhooks (the libraries' tests).
func TestTheSignatureIsThatOfTheSpecification(t *testing.T) {
	t.Parallel()
	signature, err := sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	require.NoError(t, err)
	assert.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", signature)
	_, err = sign("whsec_?", "a", time.Now(), nil)
	assert.Error(t, err)
	assert.NotContains(t, err.Error(), "?")
}

func TestNothingIsPostedForWhatNobodyWants(t *testing.T) {
	var posts atomic.Int32
	b := setUp(t, Options{AllowPrivate: true}, func(http.ResponseWriter, *http.Request) { posts.Add(1) })
	b.setRule("paused", b.endpoint.URL, func(r *contract.Rule) { r.Paused = true })
	b.setRule("mail", "ann@example.com", func(r *contract.Rule) { r.Channel.Kind = contract.Email })
	for _, rule := range []string{"gone", "paused", "mail"} {
		require.NoError(t, b.Handle(b.ctx, alert(rule)))
	}
	assert.Zero(t, posts.Load())
	for _, wrong := range []string{"", "{}", `{"id":"a"}`} {
		assert.ErrorIs(t, b.Handle(b.ctx, cloud.Event{Data: []byte(wrong)}), runner.ErrPermanent)
	}
}

func TestAnswersSayWhatToDo(t *testing.T) {
	var status atomic.Int32
	var posts atomic.Int32
	b := setUp(t, Options{AllowPrivate: true}, func(w http.ResponseWriter, _ *http.Request) {
		posts.Add(1)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(int(status.Load()))
		io.WriteString(w, strings.Repeat("no ", maxAnswer))
	})
	for code, want := range map[int]string{
		200: "done", 204: "done",
		301: "permanent", 307: "permanent", 400: "permanent", 401: "permanent", 404: "permanent", 410: "permanent",
		408: "again", 425: "again", 429: "again", 500: "again", 503: "again",
	} {
		b.breakers = newBreakers()
		status.Store(int32(code))
		before := posts.Load()
		err := b.Handle(b.ctx, alert("r1"))
		assert.EqualValues(t, 1, posts.Load()-before, "redirects are not followed")
		switch want {
		case "done":
			assert.NoError(t, err, code)
			continue
		case "permanent":
			assert.ErrorIs(t, err, runner.ErrPermanent, code)
		case "again":
			assert.Error(t, err, code)
			assert.NotErrorIs(t, err, runner.ErrPermanent, code)
		}
		assert.Less(t, len(err.Error()), 600)
		assert.NotContains(t, err.Error(), "hidden", "the URL's query may be a secret")
	}
}

func TestASlowEndpointIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	b := setUp(t, Options{AllowPrivate: true, Timeout: 100 * time.Millisecond}, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	err := b.Handle(b.ctx, alert("r1"))
	require.Error(t, err)
	assert.NotErrorIs(t, err, runner.ErrPermanent)
	assert.NotContains(t, err.Error(), "hidden")
}

func TestADeadHostHoldsUpNobodyElse(t *testing.T) {
	var posts atomic.Int32
	b := setUp(t, Options{AllowPrivate: true}, func(w http.ResponseWriter, _ *http.Request) {
		posts.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	})
	for range breakerFailures + 3 {
		assert.Error(t, b.Handle(b.ctx, alert("r1")))
	}
	assert.EqualValues(t, breakerFailures, posts.Load(), "then it is left alone")
	assert.ErrorIs(t, b.Handle(b.ctx, alert("r1")), errOpen)
	var others atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { others.Add(1) }))
	defer other.Close()
	b.setRule("r2", other.URL, nil)
	require.NoError(t, b.Handle(b.ctx, alert("r2")))
	assert.EqualValues(t, 1, others.Load())
}

func TestWebhooksReachOnlyWhatIsPublic(t *testing.T) {
	var posts atomic.Int32
	b := setUp(t, Options{}, func(http.ResponseWriter, *http.Request) { posts.Add(1) })
	_, port, found := strings.Cut(b.endpoint.Listener.Addr().String(), ":")
	require.True(t, found)
	for _, host := range []string{"127.0.0.1", "localhost", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "10.0.0.1"} {
		err := b.post(b.ctx, "a.1", []byte("{}"), contract.Channel{Kind: contract.Webhook, Address: "http://" + host + ":" + port})
		require.Error(t, err, host)
		if host != "127.1" && host != "2130706433" { // which not every resolver knows
			assert.ErrorIs(t, err, runner.ErrPermanent, host)
		}
	}
	assert.Zero(t, posts.Load())
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700:4700::1111": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "::1": false, "::": false, "fe80::1": false, "fd00::1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "ff02::1": false,
	} {
		assert.Equal(t, want, public(netip.MustParseAddr(address)), address)
	}
}

func TestRetryAfterIsReadAsSecondsOrADate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-1": 0, "120": 2 * time.Minute, "86400": maxRetryAfter,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		assert.Equal(t, want, retryAfter(text, now), text)
	}
}

func TestTheWholeWorkerTriesAgainAndDeadLetters(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	b := setUp(t, Options{AllowPrivate: true}, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id := r.Header.Get("webhook-id")
		seen[id]++
		switch {
		case strings.HasPrefix(id, "gone."):
			w.WriteHeader(http.StatusGone)
		case seen[id] == 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	b.setRule("gone", b.endpoint.URL, nil)
	letters, err := nats.OpenDeadLetters(b.ctx, b.url)
	require.NoError(t, err)
	defer letters.Close()
	ctx, cancel := context.WithCancel(b.ctx)
	ended, subscribed := make(chan error, 1), make(chan struct{})
	b.Subscribed = func() { close(subscribed) }
	go func() { ended <- b.Run(ctx) }()
	<-subscribed
	for _, rule := range []string{"r1", "gone"} {
		require.NoError(t, b.Bus.Publish(b.ctx, contract.TopicTriggered("ann"), alert(rule)))
	}
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return seen[alert("r1").ID] == 2
	}, time.Minute, 20*time.Millisecond)
	require.Eventually(t, func() bool {
		for letter, err := range letters.List(b.ctx, cloud.LetterFilter{Consumer: name}) {
			return err == nil && strings.Contains(letter.Last, "410 Gone") && letter.Event.ID == alert("gone").ID
		}
		return false
	}, time.Minute, 20*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}

func TestAnErrorIsTriedAgainWithoutItsURL(t *testing.T) {
	b := setUp(t, Options{AllowPrivate: true}, nil)
	b.endpoint.Close()
	err := b.Handle(b.ctx, alert("r1"))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hidden")
	assert.False(t, errors.Is(err, runner.ErrPermanent))
}

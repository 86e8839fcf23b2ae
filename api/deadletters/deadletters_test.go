package deadletters

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	server "github.com/drydock/drydock/emulator/nats"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The nats-server's process-wide clock.
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
	)
}

// patience is how long a test waits for what has to happen.
const patience = 90 * time.Second

// bench is a service on a bus of its own, served over HTTP.
type bench struct {
	*Service
	bus    *nats.Bus
	server *server.Server
	url    string
	client *http.Client
}

func start(t *testing.T) *bench {
	t.Helper()
	b := &bench{client: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(b.client.CloseIdleConnections)
	var err error
	b.server, err = server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { b.server.Close() })
	b.bus, err = nats.OpenBus(within(t), b.server.URL())
	require.NoError(t, err)
	t.Cleanup(func() { b.bus.Close() })
	letters, err := nats.OpenDeadLetters(within(t), b.server.URL())
	require.NoError(t, err)
	t.Cleanup(func() { letters.Close() })
	b.Service = New(Options{Letters: letters, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
	front := httptest.NewServer(b.Handler())
	t.Cleanup(front.Close)
	b.url = front.URL
	return b
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func (b *bench) subscribe(t *testing.T, consumer, topic string) cloud.Consumer {
	t.Helper()
	c, err := b.bus.Subscribe(within(t), cloud.Subscription{Name: consumer, Topic: topic, AckWait: patience})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func next(t *testing.T, c cloud.Consumer) cloud.Delivery {
	t.Helper()
	delivery, err := c.Next(within(t))
	require.NoError(t, err)
	return delivery
}

// fill makes letters of so many events, with the reason "permanent".
func (b *bench) fill(t *testing.T, c cloud.Consumer, topic string, count int, data string) {
	t.Helper()
	for i := range count {
		event := cloud.Event{ID: fmt.Sprintf("%s-%d", topic, i), Source: "/test", Type: "test", Data: []byte(data)}
		require.NoError(t, b.bus.Publish(within(t), topic, event))
		require.NoError(t, next(t, c).DeadLetter(within(t), cloud.Failure{Reason: "permanent", First: "first", Last: fmt.Sprintf("error %d", i)}))
	}
}

// call sends a request and returns the answer's status, headers and body.
func (b *bench) call(t testing.TB, method, path, body string, headers ...string) (int, http.Header, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
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

// counted tells how many changes of a kind the metrics have.
func (b *bench) counted(t *testing.T, change string) float64 {
	t.Helper()
	var counter dto.Metric
	require.NoError(t, b.changes.WithLabelValues(change).Write(&counter))
	return counter.GetCounter().GetValue()
}

// get reads what a path holds.
func get[T any](t testing.TB, b *bench, path string) (value T) {
	t.Helper()
	status, _, body := b.call(t, http.MethodGet, path, "")
	require.Equal(t, http.StatusOK, status, "%s: %s", path, body)
	require.NoError(t, json.Unmarshal(body, &value))
	return value
}

// many sends a request about many letters and returns its lines.
func (b *bench) many(t testing.TB, method, path, body string) (lines []Progress) {
	t.Helper()
	status, header, answer := b.call(t, method, path, body)
	require.Equal(t, http.StatusOK, status, "%s", answer)
	require.Equal(t, mediaLines, header.Get("Content-Type"))
	for line := range strings.Lines(string(answer)) {
		var p Progress
		require.NoError(t, json.Unmarshal([]byte(line), &p))
		lines = append(lines, p)
	}
	require.NotEmpty(t, lines)
	require.True(t, lines[len(lines)-1].Finished)
	return lines
}

func TestListPagesAndFilters(t *testing.T) {
	t.Parallel()
	b := start(t)
	assert.Equal(t, Page{Letters: []Letter{}}, get[Page](t, b, "/v1/deadletters"))
	b.fill(t, b.subscribe(t, "reader", "tests.one"), "tests.one", 5, `{}`)
	b.fill(t, b.subscribe(t, "writer", "others.one"), "others.one", 2, `{}`)

	var ids []string
	for after := ""; ; {
		page := get[Page](t, b, "/v1/deadletters?limit=3&after="+after)
		for _, letter := range page.Letters {
			ids = append(ids, letter.ID)
			assert.Empty(t, letter.Data)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	assert.Equal(t, []string{"tests.reader.1", "tests.reader.2", "tests.reader.3", "tests.reader.4", "tests.reader.5", "others.writer.1", "others.writer.2"}, ids)
	for query, want := range map[string]int{
		"stream=tests": 5, "consumer=writer": 2, "stream=tests&consumer=writer": 0, "reason=ERROR+1": 2, "reason=permanent": 7,
		"older_than=1h": 0, "newer_than=1h": 7, "older_than=0s": 7, "newer_than=2026-01-01T00:00:00Z": 7, "older_than=7d": 0,
	} {
		assert.Len(t, get[Page](t, b, "/v1/deadletters?"+query).Letters, want, query)
		assert.Equal(t, want, get[Summary](t, b, "/v1/deadletters/summary?"+query).Total, query)
	}
	for _, query := range []string{"limit=0", "limit=1001", "stream=a.b", "consumer=*", "older_than=soon", "older_than=-1h", "newer_than=99999999d", "after=x", "after=99999999999999999999"} {
		status, _, body := b.call(t, http.MethodGet, "/v1/deadletters?"+query, "")
		assert.Equal(t, http.StatusUnprocessableEntity, status, "%s: %s", query, body)
	}

	summary := get[Summary](t, b, "/v1/deadletters/summary")
	assert.Equal(t, 7, summary.Total)
	require.Len(t, summary.Groups, 2)
	assert.Equal(t, "tests", summary.Groups[0].Stream)
	assert.Equal(t, 5, summary.Groups[0].Count)
	assert.Equal(t, "permanent", summary.Groups[0].Reason)
	assert.True(t, summary.Groups[0].Oldest.Before(summary.Groups[0].Newest))
	assert.Equal(t, 2, summary.Groups[1].Count)
}

func TestALetterIsShownMendedAndSentAgain(t *testing.T) {
	t.Parallel()
	b := start(t)
	consumer := b.subscribe(t, "reader", "tests.one")
	b.fill(t, consumer, "tests.one", 1, `{"broken":`)
	const path = "/v1/deadletters/tests.reader.1"
	status, header, _ := b.call(t, http.MethodGet, path, "")
	require.Equal(t, http.StatusOK, status)
	letter := get[Letter](t, b, path)
	assert.Equal(t, `{"broken":`, letter.Data)
	assert.Equal(t, "text", letter.Encoding)
	assert.Equal(t, "first", letter.FirstError)
	assert.Equal(t, "error 0", letter.LastError)
	assert.Equal(t, 10, letter.Event.Size)

	status, _, _ = b.call(t, http.MethodPut, path+"/data", "{}")
	assert.Equal(t, http.StatusPreconditionRequired, status)
	status, _, _ = b.call(t, http.MethodPut, path+"/data", "{}", "If-Match", `"x"`)
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	status, edited, body := b.call(t, http.MethodPut, path+"/data", "\x00\xff", "If-Match", header.Get("ETag"), "Content-Type", "application/octet-stream")
	require.Equal(t, http.StatusOK, status, "%s", body)
	require.NoError(t, json.Unmarshal(body, &letter))
	assert.Equal(t, "base64", letter.Encoding)
	assert.Equal(t, "AP8=", letter.Data)
	require.Len(t, letter.History, 1)
	status, _, _ = b.call(t, http.MethodPut, path+"/data", "{}", "If-Match", header.Get("ETag"))
	assert.Equal(t, http.StatusPreconditionFailed, status, "somebody was faster")
	status, _, _ = b.call(t, http.MethodPut, path+"/data", strings.Repeat("x", maxData+1), "If-Match", edited.Get("ETag"))
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
	status, _, body = b.call(t, http.MethodPut, path+"/data", strings.Repeat("x", maxData), "If-Match", edited.Get("ETag"))
	assert.Equal(t, http.StatusRequestEntityTooLarge, status, "%s", body)

	status, _, _ = b.call(t, http.MethodPost, path+"/redrive", "", "If-Match", header.Get("ETag"))
	assert.Equal(t, http.StatusPreconditionFailed, status)
	status, _, body = b.call(t, http.MethodPost, path+"/redrive", "", "If-Match", edited.Get("ETag"))
	require.Equal(t, http.StatusNoContent, status, "%s", body)
	delivery := next(t, consumer)
	assert.Equal(t, "\x00\xff", string(delivery.Event().Data))
	require.NoError(t, delivery.Ack(within(t)))
	status, _, _ = b.call(t, http.MethodGet, path, "")
	assert.Equal(t, http.StatusNotFound, status)
	status, _, _ = b.call(t, http.MethodPost, path+"/redrive", "")
	assert.Equal(t, http.StatusNotFound, status)
	assert.EqualValues(t, 1, b.counted(t, changeRedriven))
	assert.EqualValues(t, 1, b.counted(t, changeEdited))
}

func TestWhatComesBackThreeTimesIsNotSentAgainInSilence(t *testing.T) {
	t.Parallel()
	b := start(t)
	consumer := b.subscribe(t, "reader", "tests.one")
	b.fill(t, consumer, "tests.one", 1, `{}`)
	only := func() string { return "/v1/deadletters/" + get[Page](t, b, "/v1/deadletters").Letters[0].ID }
	for i := range maxRedriven {
		status, _, body := b.call(t, http.MethodPost, only()+"/redrive", "")
		require.Equal(t, http.StatusNoContent, status, "%s", body)
		require.NoError(t, next(t, consumer).DeadLetter(within(t), cloud.Failure{Reason: "permanent", Last: fmt.Sprintf("again %d", i)}))
	}
	status, _, body := b.call(t, http.MethodPost, only()+"/redrive", "")
	require.Equal(t, http.StatusConflict, status)
	for _, words := range []string{"sent again 3 times", "error 0", "again 0", "again 1", "again 2"} {
		assert.Contains(t, string(body), words)
	}
	for _, ask := range []string{`{"all":true}`, fmt.Sprintf(`{"ids":[%q]}`, strings.TrimPrefix(only(), "/v1/deadletters/"))} {
		lines := b.many(t, http.MethodPost, "/v1/deadletters/redrive", ask)
		assert.Equal(t, 1, lines[1].Skipped)
		assert.Contains(t, lines[1].Why, "sent again 3 times")
	}
	status, _, body = b.call(t, http.MethodPost, only()+"/redrive", `{"again":true}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusNoContent, status, "%s", body)
	require.NoError(t, next(t, consumer).Ack(within(t)))
}

func TestManyAreSentAgainAndDeleted(t *testing.T) {
	t.Parallel()
	b := start(t)
	consumer := b.subscribe(t, "reader", "tests.>")
	b.fill(t, consumer, "tests.one", 5, `{}`)
	b.fill(t, b.subscribe(t, "writer", "others.one"), "others.one", 4, `{}`)

	for _, ask := range []string{`{}`, `{"all":true,"stream":"tests"}`, `{"all":true,"ids":["a"]}`, `{"stream":"tests","ids":["a"]}`, `{"rate":-1,"all":true}`, `{"older_than":"x"}`, `{"unknown":1,"all":true}`} {
		status, _, body := b.call(t, http.MethodPost, "/v1/deadletters/redrive", ask, "Content-Type", "application/json")
		assert.Equal(t, http.StatusUnprocessableEntity, status, "%s: %s", ask, body)
	}
	status, _, _ := b.call(t, http.MethodDelete, "/v1/deadletters", "")
	assert.Equal(t, http.StatusUnprocessableEntity, status, "nothing is not everything")

	lines := b.many(t, http.MethodPost, "/v1/deadletters/redrive", `{"stream":"tests","dry_run":true}`)
	assert.Equal(t, Progress{Total: 5, Done: 5, Finished: true}, lines[6])
	assert.Equal(t, 9, get[Summary](t, b, "/v1/deadletters/summary").Total)
	lines = b.many(t, http.MethodPost, "/v1/deadletters/redrive", `{"stream":"tests"}`)
	require.Len(t, lines, 7)
	assert.Equal(t, Progress{Total: 5}, lines[0])
	assert.Equal(t, Progress{Total: 5, Done: 1, ID: "tests.reader.1"}, lines[1])
	assert.Equal(t, Progress{Total: 5, Done: 5, Finished: true}, lines[6])
	for i := range 5 {
		delivery := next(t, consumer)
		assert.Equal(t, fmt.Sprintf("tests.one-%d", i), delivery.Event().ID, "the oldest first")
		require.NoError(t, delivery.Ack(within(t)))
	}
	lines = b.many(t, http.MethodPost, "/v1/deadletters/redrive", `{"ids":["tests.reader.1","others.writer.1"]}`)
	assert.Equal(t, Progress{Total: 2, Done: 1, Skipped: 1, Finished: true}, lines[3])

	lines = b.many(t, http.MethodDelete, "/v1/deadletters?consumer=writer&dry_run=true", "")
	assert.Equal(t, Progress{Total: 3, Done: 3, Finished: true}, lines[4])
	for range 2 {
		status, _, _ = b.call(t, http.MethodDelete, "/v1/deadletters/others.writer.2", "")
		assert.Equal(t, http.StatusNoContent, status)
	}
	lines = b.many(t, http.MethodDelete, "/v1/deadletters?all=true", "")
	assert.Equal(t, Progress{Total: 2, Done: 2, Finished: true}, lines[3])
	assert.Zero(t, get[Summary](t, b, "/v1/deadletters/summary").Total)
}

func TestWithoutItsConsumerALetterStays(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.fill(t, b.subscribe(t, "reader", "tests.one"), "tests.one", 1, `{}`)
	operator, err := client.Connect(b.server.URL())
	require.NoError(t, err)
	defer operator.Close()
	js, err := jetstream.New(operator)
	require.NoError(t, err)
	require.NoError(t, js.DeleteConsumer(within(t), "tests", "reader"))
	status, _, body := b.call(t, http.MethodPost, "/v1/deadletters/tests.reader.1/redrive", "")
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, string(body), "no consumer reader any more")
	lines := b.many(t, http.MethodPost, "/v1/deadletters/redrive", `{"all":true}`)
	assert.Equal(t, 1, lines[1].Failed)
	assert.Equal(t, 1, get[Summary](t, b, "/v1/deadletters/summary").Total)
}

// It takes longer than the body of a request may.
func TestARateIsKept(t *testing.T) {
	t.Parallel()
	b := start(t)
	consumer := b.subscribe(t, "reader", "tests.one")
	b.fill(t, consumer, "tests.one", 12, `{}`)
	began := time.Now()
	lines := b.many(t, http.MethodPost, "/v1/deadletters/redrive", `{"all":true,"rate":2}`)
	assert.Equal(t, 12, lines[len(lines)-1].Done)
	assert.GreaterOrEqual(t, time.Since(began), 5500*time.Millisecond)
}

func TestItStopsWhenTheClientGoes(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.fill(t, b.subscribe(t, "reader", "tests.one"), "tests.one", 3, `{}`)
	ctx, leave := context.WithCancel(within(t))
	defer leave()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/v1/deadletters/redrive", strings.NewReader(`{"all":true,"rate":0.01}`))
	require.NoError(t, err)
	answer, err := b.client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for range 2 { // the total and the first letter, as they happen
		require.True(t, lines.Scan())
	}
	leave()
	assert.False(t, lines.Scan())
	// The test's server waits for its requests when it closes: one that went on would hang it.
	assert.Equal(t, 2, get[Summary](t, b, "/v1/deadletters/summary").Total)
}

func TestOtherSitesAndOtherPaths(t *testing.T) {
	t.Parallel()
	b := start(t)
	status, header, _ := b.call(t, http.MethodDelete, "/v1/deadletters?all=true", "", "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusForbidden, status)
	assert.Equal(t, "application/problem+json", header.Get("Content-Type"))
	status, header, _ = b.call(t, http.MethodPut, "/v1/deadletters", "")
	assert.Equal(t, http.StatusMethodNotAllowed, status)
	assert.Equal(t, "GET, DELETE", header.Get("Allow"))
	status, _, _ = b.call(t, http.MethodGet, "/v2", "")
	assert.Equal(t, http.StatusNotFound, status)
	status, _, body := b.call(t, http.MethodGet, "/openapi.json", "")
	assert.Equal(t, http.StatusOK, status)
	var described struct {
		OpenAPI string
		Paths   map[string]map[string]struct{ Responses map[string]any }
	}
	require.NoError(t, json.Unmarshal(body, &described))
	assert.Len(t, described.Paths, 6)
	for path, methods := range described.Paths {
		for method, operation := range methods {
			assert.Contains(t, operation.Responses, "503", "%s %s", method, path)
		}
	}
	status, _, body = b.call(t, http.MethodGet, "/openapi.yaml", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, string(body), "application/x-ndjson")
}

func TestABusThatIsAwayIsSaidSo(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.NoError(t, b.server.Close())
	for _, path := range []string{"/v1/deadletters", "/v1/deadletters/summary", "/v1/deadletters/tests.reader.1"} {
		status, header, body := b.call(t, http.MethodGet, path, "")
		assert.Equal(t, http.StatusServiceUnavailable, status, "%s", body)
		assert.Equal(t, "2", header.Get("Retry-After"))
		assert.NotContains(t, string(body), "127.0.0.1")
	}
}

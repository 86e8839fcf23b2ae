package uploads

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/cloud/s3"
	"github.com/drydock/drydock/contract"
	natsserver "github.com/drydock/drydock/emulator/nats"
	s3server "github.com/drydock/drydock/emulator/s3"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The nats-server's process-wide clock.
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
	)
}

// patience is how long a test waits for what has to happen.
const patience = 90 * time.Second

// bench is a service on real providers of its own, served over HTTP.
type bench struct {
	*Service
	url     string
	client  *http.Client
	metrics *prometheus.Registry
}

// start begins a service for one test. Requests say in X-Owner whose they are.
func start(t *testing.T, changes ...func(*Options)) *bench {
	t.Helper()
	b := &bench{metrics: prometheus.NewRegistry(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(b.client.CloseIdleConnections)
	ctx := within(t)

	server, err := natsserver.Start(natsserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	records, err := nats.OpenRecords(ctx, server.URL(), contract.UploadsCollection)
	require.NoError(t, err)
	t.Cleanup(func() { records.Close() })
	bus, err := nats.OpenBus(ctx, server.URL())
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })

	options := Options{Objects: store(t), Records: records, Bus: bus, Registerer: b.metrics, Logger: slog.New(slog.DiscardHandler)}
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

// run lets the service follow and sweep until the test ends.
func (b *bench) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// store opens a bucket in an object store of its own.
func store(t *testing.T) cloud.Objects {
	t.Helper()
	server, err := s3server.Open(s3server.Options{
		Dir:    t.TempDir(),
		Keys:   map[string]s3server.Key{"drydock": {Secret: "drydock-secret"}},
		NoSync: true,
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	require.NoError(t, server.CreateBucket("uploads"))
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	objects, err := s3.Open("s3+"+front.URL+"/uploads", credentials.NewStaticV4("drydock", "drydock-secret", ""))
	require.NoError(t, err)
	return objects
}

// call sends a request for an owner and returns the answer's status, headers and body.
func (b *bench) call(t testing.TB, owner, method, path, body string) (int, http.Header, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("X-Owner", owner)
	answer, err := b.client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header, data
}

// get reads what a path holds; the answer has to have the status.
func get[T any](t testing.TB, b *bench, owner, path string, status int) T {
	t.Helper()
	code, _, body := b.call(t, owner, http.MethodGet, path, "")
	require.Equal(t, status, code, "%s: %s", path, body)
	return decode[T](t, body)
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

// signUpload asks for an upload as a client does.
func (b *bench) signUpload(t testing.TB, owner, filename, contentType string, size int) SignedUpload {
	t.Helper()
	body, err := json.Marshal(NewUpload{Filename: filename, ContentType: contentType, Size: int64(size)})
	require.NoError(t, err)
	code, header, answer := b.call(t, owner, http.MethodPost, "/v1/uploads", string(body))
	require.Equal(t, http.StatusCreated, code, "%s", answer)
	signed := decode[SignedUpload](t, answer)
	require.Equal(t, "/v1/uploads/"+signed.ID, header.Get("Location"))
	return signed
}

// drop puts an object where an upload signed at a time would have sent it.
func (b *bench) drop(t testing.TB, owner string, made time.Time, content string) (id string, object cloud.ObjectInfo) {
	t.Helper()
	id = contract.NewUploadID(made)
	object, err := b.options.Objects.Put(within(t), contract.IncomingKey(owner, id, "harbour.jpg"),
		strings.NewReader(content), int64(len(content)), cloud.PutOptions{ContentType: "image/jpeg"})
	require.NoError(t, err)
	return id, object
}

// work writes an upload's record as the images worker does, and returns it.
func (b *bench) work(t testing.TB, owner, id string, status contract.Status, change func(*contract.Upload)) contract.Upload {
	t.Helper()
	doc := contract.Upload{
		ID: id, Owner: owner, Filename: "harbour.jpg", ContentType: "image/jpeg", Size: 7, ETag: "e", Status: status, Updated: time.Now(),
	}
	if change != nil {
		change(&doc)
	}
	var revision uint64
	if record, err := b.options.Records.Get(within(t), contract.RecordKey(owner, id)); err == nil {
		revision = record.Revision
	}
	require.NoError(t, b.write(within(t), doc, revision))
	return doc
}

func (b *bench) write(ctx context.Context, doc contract.Upload, revision uint64) error {
	value, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	_, err = b.options.Records.Put(ctx, contract.RecordKey(doc.Owner, doc.ID), value, revision, 0)
	return err
}

// keys lists what the bucket holds below a prefix.
func (b *bench) keys(t testing.TB, prefix string) []string {
	t.Helper()
	keys := []string{}
	for object, err := range b.options.Objects.List(within(t), prefix, "") {
		require.NoError(t, err)
		keys = append(keys, object.Key)
	}
	return keys
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

// download reads a signed link.
func (b *bench) download(t testing.TB, link string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), http.MethodGet, link, nil)
	require.NoError(t, err)
	answer, err := b.client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(data)
}

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPercentile(t *testing.T) {
	values := func(count int) (sorted []time.Duration) {
		for i := range count {
			sorted = append(sorted, time.Duration(i+1))
		}
		return sorted
	}
	for _, test := range []struct{ count, percent, want int }{
		{0, 50, 0},
		{1, 50, 1}, {1, 99, 1},
		{2, 50, 1}, {2, 99, 2},
		{3, 50, 2}, {4, 50, 2}, {5, 50, 3},
		{99, 99, 99}, {100, 99, 99}, {101, 99, 100}, {200, 99, 198},
		{10, 0, 1}, {10, 100, 10},
	} {
		assert.EqualValues(t, test.want, percentile(values(test.count), test.percent), "%d%% of %d", test.percent, test.count)
	}
}

func TestReport(t *testing.T) {
	ms := time.Millisecond
	files := []File{
		{Name: "a", Size: 1000, Status: "processed", Took: 30 * ms, Variants: []Variant{{"thumb", 10}, {"large", 900}}},
		{Name: "b", Size: 500, Status: "rejected", Took: 900 * ms, Reason: "No picture."},
		{Name: "c", Size: 3000, Status: "processed", Took: 10 * ms, Variants: []Variant{{"thumb", 30}}},
		{Name: "d", Status: "deleted"},
		{Name: "e", Status: StatusFailed, Reason: "refused"},
	}
	assert.Equal(t, &Report{
		Files: files, Took: 4 * time.Second, PerSecond: 0.5, Median: 10 * ms, Percent99: 30 * ms,
		Processed: 2, Rejected: 1, Failed: 2, BytesTotal: 4000,
		ByVariant: []VariantSummary{{"thumb", 2, 4000, 40}, {"large", 1, 1000, 900}},
	}, newReport(files, 4*time.Second))
}

func TestFilesThatAreSent(t *testing.T) {
	files := fstest.MapFS{
		"a.jpg": {}, "in/b.jpg": {}, "in/ner/c.png": {}, ".hidden.jpg": {}, ".git/d.jpg": {}, "in/.DS_Store": {},
		"link.jpg": {Mode: fs.ModeSymlink},
	}
	count, err := Count(files)
	require.NoError(t, err)
	assert.Equal(t, 3, count)
	count, err = Count(Photographs())
	require.NoError(t, err)
	assert.Equal(t, 8, count)
}

func TestExplain(t *testing.T) {
	for text, want := range map[string]string{
		`{"title": "Not Found", "detail": "There is no such upload."}`: "Not Found: There is no such upload.",
		`{"title": "Not Found"}`: "Not Found",
		`<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>`: "AccessDenied: Request has expired",
		" bad gateway\n": "bad gateway",
		"":               "",
	} {
		assert.Equal(t, want, explain([]byte(text)))
	}
}

// fake is an API and an object store whose answers a test decides.
type fake struct {
	*httptest.Server
	sign, put, events http.HandlerFunc

	mu     sync.Mutex
	stored map[string][]byte
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{stored: map[string][]byte{}}
	f.sign, f.put, f.events = f.signAll, f.storeAll, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "event: upload\ndata: {\"status\": \"processed\", \"variants\": [{\"name\": \"thumb\", \"size\": 1}]}\n\n")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/uploads", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /v1/uploads", func(w http.ResponseWriter, r *http.Request) { f.sign(w, r) })
	mux.HandleFunc("PUT /store/{name}", func(w http.ResponseWriter, r *http.Request) { f.put(w, r) })
	mux.HandleFunc("GET /v1/uploads/{id}/events", func(w http.ResponseWriter, r *http.Request) { f.events(w, r) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("unexpected request %s %s", r.Method, r.URL)
		http.NotFound(w, r)
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) signAll(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Filename    string
		ContentType string `json:"content_type"`
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"id": "id-" + ask.Filename, "put": map[string]any{
		"method": http.MethodPut, "url": f.URL + "/store/" + ask.Filename, "headers": map[string]string{"Content-Type": ask.ContentType},
	}})
}

func (f *fake) storeAll(_ http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stored[r.PathValue("name")+" "+r.Header.Get("Content-Type")] = data
}

// runOn sends files and returns the one file's outcome.
func runOn(t *testing.T, f *fake, files fstest.MapFS) *Report {
	t.Helper()
	report, err := Run(t.Context(), Options{API: f.URL + "/", Files: files, Concurrency: 2})
	require.NoError(t, err)
	return report
}

func TestRunSendsWhatThereIs(t *testing.T) {
	f := newFake(t)
	var mu sync.Mutex
	var done []string
	report, err := Run(t.Context(), Options{
		API:   f.URL,
		Files: fstest.MapFS{"a.jpg": {Data: []byte("picture")}, "in/b.png": {}, "c": {Data: []byte("c")}},
		Done: func(file File) {
			mu.Lock()
			defer mu.Unlock()
			done = append(done, file.Name)
		},
	})
	require.NoError(t, err)
	assert.Equal(t, 3, report.Processed)
	assert.Equal(t, map[string][]byte{
		"a.jpg image/jpeg": []byte("picture"), "b.png image/png": {}, "c application/octet-stream": []byte("c"),
	}, f.stored)
	assert.ElementsMatch(t, []string{"a.jpg", "in/b.png", "c"}, done)
	assert.Equal(t, "id-a.jpg", report.Files[0].ID)
}

func TestRunTellsWhatFailed(t *testing.T) {
	problem := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	for name, test := range map[string]struct {
		change func(*fake)
		status string
		reason string
	}{
		"not signed": {func(f *fake) { f.sign = problem(422, `{"title": "Unprocessable", "detail": "Too large."}`) },
			StatusFailed, "sign upload: status 422: Unprocessable: Too large."},
		"not stored": {func(f *fake) { f.put = problem(403, `<Error><Code>AccessDenied</Code><Message>No.</Message></Error>`) },
			StatusFailed, "send to the object store: status 403: AccessDenied: No."},
		"not known": {func(f *fake) { f.events = problem(404, `{"title": "Not Found"}`) },
			StatusFailed, "follow upload: status 404: Not Found"},
		"deleted": {func(f *fake) { f.events = problem(200, "event: deleted\ndata: {}\n\n") },
			"deleted", "Somebody deleted it."},
		"rejected": {func(f *fake) {
			f.events = problem(200, "event: heartbeat\ndata: {}\n\nevent: upload\ndata: {\"status\": \"rejected\", \"reason\": \"No picture.\"}\n\n")
		}, "rejected", "No picture."},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			test.change(f)
			file := runOn(t, f, fstest.MapFS{"a.jpg": {Data: []byte("a")}}).Files[0]
			assert.Equal(t, test.status, file.Status)
			assert.Equal(t, test.reason, file.Reason)
		})
	}
}

// A stream that breaks, or an API that is away for a moment, is asked again.
func TestRunFollowsAgain(t *testing.T) {
	f := newFake(t)
	final, tries := f.events, 0
	f.events = func(w http.ResponseWriter, r *http.Request) {
		tries++
		switch tries {
		case 1:
			fmt.Fprint(w, "event: upload\ndata: {\"status\": \"processing\"}\n\n")
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			final(w, r)
		}
	}
	assert.Equal(t, 1, runOn(t, f, fstest.MapFS{"a.jpg": {Data: []byte("a")}}).Processed)
	assert.Equal(t, 3, tries)
}

func TestRunEndsWithItsContext(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.events = func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}
	_, err := Run(ctx, Options{API: f.URL, Files: Photographs()})
	require.ErrorIs(t, err, context.Canceled)
}

func TestRunNeedsAnAPIAndFiles(t *testing.T) {
	_, err := Run(t.Context(), Options{API: "http://127.0.0.1:1", Files: Photographs()})
	require.ErrorContains(t, err, "start it with `drydock up`")
	_, err = Run(t.Context(), Options{API: newFake(t).URL, Files: fstest.MapFS{".hidden": {}}})
	require.EqualError(t, err, "read pictures: there is no file in the folder")
}

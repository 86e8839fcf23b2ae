package uploads

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud/s3"
)

const request = `{"filename":"Sonnenaufgang über dem Hafen.jpg","content_type":"image/jpeg","size":2483201}`

// offline is a service that can sign: signing asks no store.
func offline(tb testing.TB) http.Handler {
	objects, err := s3.Open("s3+http://store.example:9000/uploads", credentials.NewStaticV4("drydock", "drydock-secret", ""))
	require.NoError(tb, err)
	return New(Options{Objects: objects}).Handler()
}

// report adds signed/s and the 99th percentile to a benchmark's line.
func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "signed/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// BenchmarkCreateHandler measures the handler alone. With -cpu 1 it is what
// one core can sign.
func BenchmarkCreateHandler(b *testing.B) {
	handler := offline(b)
	took := make([]time.Duration, 0, b.N)
	b.ReportAllocs()
	for b.Loop() {
		w := &discard{header: http.Header{}}
		r, err := http.NewRequest(http.MethodPost, "/v1/uploads", strings.NewReader(request))
		require.NoError(b, err)
		began := time.Now()
		handler.ServeHTTP(w, r)
		took = append(took, time.Since(began))
		if w.status != http.StatusCreated {
			b.Fatal(w.status)
		}
	}
	report(b, took)
}

// BenchmarkCreateHTTP measures through a real server and connections kept
// open, by 16 clients at once. With -cpu 1 the clients share the one core
// with the server, so that the server alone does better than this.
func BenchmarkCreateHTTP(b *testing.B) {
	const clients = 16
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	server := &http.Server{Handler: offline(b)}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	message := fmt.Sprintf("POST /v1/uploads HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(request), request)

	results := make(chan []time.Duration)
	b.ResetTimer()
	for i := range clients {
		requests := b.N / clients
		if i < b.N%clients {
			requests++
		}
		go func() {
			took := make([]time.Duration, 0, requests)
			defer func() { results <- took }()
			connection, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				b.Error(err)
				return
			}
			defer connection.Close()
			reader := bufio.NewReader(connection)
			for range requests {
				began := time.Now()
				if _, err := io.WriteString(connection, message); err != nil {
					b.Error(err)
					return
				}
				answer, err := http.ReadResponse(reader, nil)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err = io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusCreated {
					b.Error(answer.Status, err)
					return
				}
				took = append(took, time.Since(began))
			}
		}()
	}
	var took []time.Duration
	for range clients {
		took = append(took, <-results...)
	}
	b.StopTimer()
	if len(took) != b.N {
		b.Fatal("some requests failed")
	}
	report(b, took)
}

package s3

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

const benchClients = 8

// BenchmarkPut measures whole requests of 8 clients, client and server on the
// same processors.
func BenchmarkPut(b *testing.B) {
	for _, c := range []struct {
		name           string
		size           int
		noSync, events bool
	}{
		{"64KiB/sync", 64 << 10, false, false},
		{"64KiB/sync+events", 64 << 10, false, true},
		{"64KiB/nosync", 64 << 10, true, false},
		{"4MiB/sync", 4 << 20, false, false},
		{"4MiB/nosync", 4 << 20, true, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			e, bucket := bucketed(b, Options{Dir: b.TempDir(), NoSync: c.noSync, Notifiers: map[string]Notifier{testARN: &inbox{}}})
			if c.events {
				require.NoError(b, e.SetNotification(bucket, rule("", "", notification.ObjectCreatedAll)))
			}
			data := randomBytes(b, c.size)
			var n atomic.Int64
			b.SetBytes(int64(c.size))
			b.SetParallelism((benchClients + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					key := fmt.Sprintf("incoming/%d", n.Add(1))
					_, err := e.PutObject(b.Context(), bucket, key, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, size := range []int{64 << 10, 4 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			e, bucket := bucketed(b, Options{})
			e.put(b, bucket, "key", string(randomBytes(b, size)))
			b.SetBytes(int64(size))
			b.SetParallelism((benchClients + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					o, _, _, err := e.core.GetObject(b.Context(), bucket, "key", minio.GetObjectOptions{})
					if err != nil {
						b.Error(err)
						return
					}
					n, err := io.Copy(io.Discard, o)
					_ = o.Close()
					if err != nil || n != int64(size) {
						b.Error(n, err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
		})
	}
}

// BenchmarkList measures pages of 1,000 out of 1,000,000 keys, the whole answer
// as it is written. Their blobs are left out: a listing reads none.
func BenchmarkList(b *testing.B) {
	e, bucket := bucketed(b, Options{})
	const keys = 1_000_000
	x := must(e.st.bucket(bucket)).index
	for i := range keys {
		x.set(entry{key: fmt.Sprintf("%03d/%06d", i%500, i), etag: "d41d8cd98f00b204e9800998ecf8427e", size: 1, modified: time.Unix(int64(i), 0)})
	}
	for _, c := range []struct{ name, query string }{
		{"flat", "list-type=2&start-after=250"},
		{"folder", "list-type=2&prefix=250%2F&delimiter=%2F"},
		{"folders", "list-type=2&delimiter=%2F"},
		{"v1", "marker=250"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				r := e.sign(b, e.request(b, http.MethodGet, "/"+bucket+"?"+c.query, nil), unsignedPayload)
				r.URL = &url.URL{Path: "/" + bucket, RawQuery: c.query}
				w := httptest.NewRecorder()
				e.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

// BenchmarkOpen measures how long a folder of 100,000 objects takes to open.
func BenchmarkOpen(b *testing.B) {
	e, bucket := bucketed(b, Options{})
	dir := e.opts.Dir
	x := must(e.st.bucket(bucket))
	const objects = 100_000
	for i := range objects {
		m := &meta{Key: fmt.Sprintf("%03d/%06d", i%500, i), ETag: "d41d8cd98f00b204e9800998ecf8427e", Headers: map[string]string{"Content-Type": "text/plain"}}
		tail, err := appendTail(nil, m)
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(x.objectPath(m.Key, ""), tail, 0o600))
	}
	require.NoError(b, e.Close())
	for b.Loop() {
		s, err := Open(Options{Dir: dir, Keys: e.opts.Keys, NoSync: true})
		require.NoError(b, err)
		require.Equal(b, objects, must(s.st.bucket(bucket)).index.len())
		require.NoError(b, s.Close())
	}
}

// BenchmarkScan is what the scanner takes for a bucket of which nothing expires.
func BenchmarkScan(b *testing.B) {
	e, name := bucketed(b, Options{})
	bk, err := e.st.bucket(name)
	require.NoError(b, err)
	for i := range 100_000 {
		bk.index.set(entry{key: fmt.Sprintf("key/%07d", i), size: 1, modified: time.Now()})
	}
	require.NoError(b, e.st.configure(bk, func(c *bucketConf) {
		rule := days("key/", 30)
		rule.Status = ruleEnabled
		c.Lifecycle = &lifecycle.Configuration{Rules: []lifecycle.Rule{rule}}
	}))
	for b.Loop() {
		e.scanner.scan(b.Context())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/key")
}

// BenchmarkMultipart uploads parts of 16 MiB, 8 at a time, beside objects of
// that size.
func BenchmarkMultipart(b *testing.B) {
	const size, parts = 16 << 20, 32
	for _, name := range []string{"parts", "objects"} {
		b.Run(name, func(b *testing.B) {
			e, bucket := bucketed(b, Options{Dir: b.TempDir()})
			data := randomBytes(b, size)
			b.SetBytes(size * parts)
			for b.Loop() {
				id, err := e.core.NewMultipartUpload(b.Context(), bucket, "key", minio.PutObjectOptions{})
				require.NoError(b, err)
				done := make([]minio.CompletePart, parts)
				var group errgroup.Group
				group.SetLimit(benchClients)
				for i := range parts {
					group.Go(func() error {
						if name == "objects" {
							_, err := e.PutObject(b.Context(), bucket, fmt.Sprint(i), bytes.NewReader(data), size, minio.PutObjectOptions{DisableMultipart: true})
							return err
						}
						p, err := e.core.PutObjectPart(b.Context(), bucket, "key", id, i+1, bytes.NewReader(data), size, minio.PutObjectPartOptions{})
						done[i] = minio.CompletePart{PartNumber: i + 1, ETag: p.ETag}
						return err
					})
				}
				require.NoError(b, group.Wait())
				if name == "parts" {
					_, err = e.core.CompleteMultipartUpload(b.Context(), bucket, "key", id, done, minio.PutObjectOptions{})
					require.NoError(b, err)
				}
			}
		})
	}
}

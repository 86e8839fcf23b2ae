package s3

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"
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

package vips

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkTransform transforms the pictures that DRYDOCK_PICTURES names (a glob), three at a time, and
// prints pictures per second: hold it against bench/pictures/limit.c on the same files.
func BenchmarkTransform(b *testing.B) {
	paths, err := filepath.Glob(os.Getenv("DRYDOCK_PICTURES"))
	require.NoError(b, err)
	if len(paths) == 0 {
		b.Skip("DRYDOCK_PICTURES names no pictures")
	}
	variants, limits := DefaultVariants(), DefaultLimits()
	work := make(chan string)
	var workers sync.WaitGroup
	start := time.Now()
	for range 3 {
		workers.Go(func() {
			for path := range work {
				if _, _, err := transformPath(b.Context(), path, variants, limits); err != nil {
					b.Errorf("%s: %v", path, err)
				}
			}
		})
	}
	pictures := 0
	for b.Loop() {
		for _, path := range paths {
			work <- path
			pictures++
		}
	}
	close(work)
	workers.Wait()
	b.ReportMetric(float64(pictures)/time.Since(start).Seconds(), "pictures/s")
	kb, err := peak()
	require.NoError(b, err)
	b.ReportMetric(float64(kb)/1024, "peak-MB")
}

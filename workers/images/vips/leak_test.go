package vips

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Not parallel: it looks at the whole process.
func TestNothingLeaks(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for name, data := range seeds(t) {
		whole, cut := filepath.Join(dir, name), filepath.Join(dir, name+" cut")
		require.NoError(t, os.WriteFile(whole, data, 0o600))
		require.NoError(t, os.WriteFile(cut, data[:len(data)*2/3], 0o600))
		paths = append(paths, whole, cut)
	}
	variants := append(DefaultVariants(), Variant{Name: "jpeg", Width: 9, Height: 9, Crop: Centre, Format: JPEG, Quality: 80})
	short := DefaultLimits()
	short.Time = time.Microsecond
	round := func() {
		var group sync.WaitGroup
		for _, limits := range []Limits{DefaultLimits(), DefaultLimits(), short} {
			group.Go(func() {
				for _, path := range paths {
					_, _, _ = transformPath(context.Background(), path, variants, limits)
				}
			})
		}
		group.Wait()
	}
	for range 4 {
		round()
	}
	// What leaks grows with every batch; the allocator's own appetite does not.
	grown := 8 << 20
	for batch := 0; batch < 4 && grown >= 8<<20; batch++ {
		before := resident(t)
		for range 8 {
			round()
		}
		grown = resident(t) - before
	}
	require.Less(t, grown, 8<<20, "the process grew with every one of 4 batches")
	bytes, blocks := InUse()
	require.Zero(t, bytes)
	require.Zero(t, blocks)
}

func resident(t *testing.T) int {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	require.NoError(t, err)
	return pages * os.Getpagesize()
}

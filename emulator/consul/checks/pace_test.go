package checks

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPaceKeepsTheInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		var probes []time.Duration
		p := pace{interval: 10 * time.Second, settled: true}
		p.poll(ctx, func() bool {
			probes = append(probes, time.Since(begin))
			time.Sleep(3 * time.Second) // of the fake clock: a slow target
			if len(probes) == 3 {
				cancel()
			}
			return false
		})
		require.Len(t, probes, 3)
		assert.Less(t, probes[0], 10*time.Second)
		assert.Equal(t, 13*time.Second, probes[1]-probes[0])
		assert.Equal(t, 13*time.Second, probes[2]-probes[1])
	})
}

func TestAPaceSpreadsFirstProbes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			begin := time.Now()
			p := pace{interval: time.Minute, settled: true}
			p.poll(ctx, func() bool { cancel(); return true })
			seen[time.Since(begin)] = true
		}
		assert.Greater(t, len(seen), 10)
	})
}

func TestAPaceIsEagerUntilTheFirstPass(t *testing.T) {
	t.Parallel()
	const interval, passesAt = 5 * time.Second, 3 * time.Second
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		var before int
		var passed []time.Duration
		p := pace{interval: interval}
		p.poll(ctx, func() bool {
			age := time.Since(begin)
			if age < passesAt {
				before++
				return false
			}
			if passed = append(passed, age); len(passed) == 3 {
				cancel()
			}
			return len(passed) == 1 // one that fails later is not eager again
		})
		assert.InDelta(t, 60, before, 25, "often, but not all the time")
		assert.Less(t, passed[0], passesAt*9/8)
		assert.Equal(t, interval, passed[1]-passed[0])
		assert.Equal(t, interval, passed[2]-passed[1])
	})
}

func TestAPaceIsNeverSlowerThanTheInterval(t *testing.T) {
	t.Parallel()
	p := pace{interval: time.Second}
	assert.Equal(t, eagerPause, p.pause(0))
	assert.Equal(t, time.Second, p.pause(time.Hour))
}

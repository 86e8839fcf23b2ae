package market

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drydock/drydock/cloud"
	server "github.com/drydock/drydock/emulator/nats"
)

// memory is records in memory, for tests whose clock is not the real one.
type memory struct {
	cloud.Records
	mu       sync.Mutex
	values   map[string]cloud.Record
	revision uint64
}

func newMemory() *memory { return &memory{values: map[string]cloud.Record{}} }

func (m *memory) Get(_ context.Context, key string) (cloud.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record, found := m.values[key]
	if !found {
		return cloud.Record{}, cloud.ErrNotFound
	}
	return record, nil
}

func (m *memory) Put(_ context.Context, key string, value []byte, revision uint64, _ time.Duration) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values[key].Revision != revision {
		return 0, cloud.ErrConflict
	}
	m.revision++
	m.values[key] = cloud.Record{Key: key, Value: value, Revision: m.revision}
	return m.revision, nil
}

// most returns how many of the times, which ascend, fall into one span at most.
func most(times []time.Time, span time.Duration) (most int) {
	begin := 0
	for i, at := range times {
		for at.Sub(times[begin]) >= span {
			begin++
		}
		most = max(most, i-begin+1)
	}
	return most
}

func TestNoSpanHasMoreRequestsThanTheRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		requests := rapid.IntRange(1, 12).Draw(r, "requests")
		burst := rapid.IntRange(1, requests).Draw(r, "burst")
		per := time.Duration(rapid.IntRange(1, 5000).Draw(r, "per")) * time.Millisecond
		clients := rapid.IntRange(1, 4).Draw(r, "clients")
		idle := rapid.SliceOfN(rapid.IntRange(0, 3000), 30, 30).Draw(r, "idle")
		pauseAt := rapid.IntRange(0, 29).Draw(r, "pause")

		var sent []time.Time
		synctest.Test(t, func(t *testing.T) {
			records := newMemory()
			var mu sync.Mutex
			var paused time.Time
			var group sync.WaitGroup
			for client := range clients {
				group.Go(func() {
					l := newLimit(records, "v", newRate(requests, per, burst))
					for i := client; i < len(idle); i += clients {
						time.Sleep(time.Duration(idle[i]) * time.Millisecond)
						require.NoError(t, l.take(t.Context()))
						mu.Lock()
						assert.False(t, time.Now().Before(paused), "nobody sends in a pause")
						sent = append(sent, time.Now())
						mu.Unlock()
						if i == pauseAt {
							require.NoError(t, l.pause(t.Context(), per))
							mu.Lock()
							paused = time.Now().Add(per)
							mu.Unlock()
						}
					}
				})
			}
			group.Wait()
		})
		if most := most(sent, per); most > requests {
			r.Fatalf("%d requests within %v, but %d are allowed", most, per, requests)
		}
	})
}

func TestARateIsUsedToTheFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(newMemory(), "v", newRate(10, time.Second, 4))
		begin := time.Now()
		for range 4 {
			require.NoError(t, l.take(t.Context()))
		}
		assert.Zero(t, time.Since(begin), "a burst need not wait")
		for range 70 {
			require.NoError(t, l.take(t.Context()))
		}
		assert.InDelta(t, 10, time.Since(begin).Seconds(), 0.001, "and then it is evenly spaced")
	})
}

func TestNobodyWaitsForWhatIsAfterTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(newMemory(), "v", newRate(1, time.Minute, 1))
		require.NoError(t, l.take(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var limited *RateLimitedError
		require.ErrorAs(t, l.take(ctx), &limited)
		assert.Equal(t, time.Minute, limited.RetryAfter)

		ending, end := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, end)
		require.ErrorIs(t, l.take(ending), context.Canceled)
	})
}

func TestThreeClientsShareOneRate(t *testing.T) {
	ctx := setUp(t)
	const requests, per = 20, 2 * time.Second
	s, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	var mu sync.Mutex
	var arrived []time.Time
	v := newVendor(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		arrived = append(arrived, time.Now())
		mu.Unlock()
		io.WriteString(w, latestAnswer(quote("A", 1, 0)))
	})
	described, err := parse([]byte(strings.ReplaceAll(strings.Replace(jsonVendor, `"batch"`, `"rate":{"requests":20,"per":"2s","burst":3},"batch"`, 1), "BASE", v.URL)), environment)
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 3 {
		c := newClient(Options{Records: connectRecords(t, s.URL()), Logger: quiet}, described, impatient)
		t.Cleanup(func() { c.Close() })
		group.Go(func() {
			for range 16 {
				_, err := c.Latest(ctx, []string{"A"})
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
	require.Len(t, arrived, 48)
	// What is sent on time may arrive late by what the machine needs.
	const late = 200 * time.Millisecond
	assert.LessOrEqual(t, most(arrived, per-late), requests)
	assert.Greater(t, most(arrived, per), requests/2, "and it is used")
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := noon
	for value, want := range map[string]time.Duration{
		"":                              pauseUnsaid,
		"soon":                          pauseUnsaid,
		"7":                             7 * time.Second,
		"-7":                            0,
		"99999999999999999":             maxPause,
		"Mon, 04 May 2026 12:00:30 GMT": 30 * time.Second,
		"Mon, 04 May 2026 11:00:30 GMT": 0,
	} {
		assert.Equal(t, want, retryAfter(value, now), value)
	}
}

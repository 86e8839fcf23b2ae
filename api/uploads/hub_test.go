package uploads

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2/sse"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/web"
)

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute-time.Second)
		defer cancel()
		var at []time.Duration
		s.stream(ctx, s.hub.join("ann", "", began), nil, func(m sse.Message) error {
			at = append(at, m.Data.(web.Heartbeat).Time.Sub(began))
			return nil
		})
		require.Equal(t, []time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second}, at)
	})
}

func TestReaderIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		began := time.Now()
		s.stream(t.Context(), s.hub.join("ann", "", began), nil, func(sse.Message) error { return errors.New("broken pipe") })
		require.Equal(t, web.HeartbeatEvery, time.Since(began))
	})
}

// TestOverflow: a reader that takes its time is told what it was in time for,
// and the others are not held up.
func TestOverflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		slow, quick := s.hub.join("ann", "", time.Now()), s.hub.join("ann", "", time.Now())
		var bySlow, byQuick int
		var both sync.WaitGroup
		read := func(l *listener, heard *int, pause time.Duration) {
			both.Go(func() {
				s.stream(t.Context(), l, nil, func(m sse.Message) error {
					if _, told := m.Data.(Deleted); told {
						*heard++
						<-time.After(pause)
					}
					return nil
				})
			})
		}
		read(slow, &bySlow, time.Hour)
		read(quick, &byQuick, 0)
		synctest.Wait()
		dropped := 0
		for range 2 * backlog {
			dropped += s.hub.tell("ann", "x", time.Now(), Deleted{ID: "x"})
			synctest.Wait()
		}
		require.Equal(t, 1, dropped)
		s.hub.close()
		both.Wait()
		require.Equal(t, 1+backlog, bySlow)
		require.Equal(t, 2*backlog, byQuick)
	})
}

func TestHub(t *testing.T) {
	t.Parallel()
	now := time.Now()
	h := newHub()
	all, one := h.join("ann", "", now), h.join("ann", "1", now)
	require.True(t, h.wanted("ann", "1", now))
	require.False(t, h.wanted("bob", "1", now))
	require.False(t, h.wanted("ann", "1", now.Add(-time.Hour)), "what was before is read, not heard")
	h.tell("ann", "1", now, "first")
	h.tell("ann", "2", now, "second")
	h.tell("ann", "1", now.Add(-time.Hour), "old")
	require.Len(t, all.events, 2)
	require.Len(t, one.events, 1)
	h.leave("ann", all)
	h.leave("ann", all)
	require.False(t, h.wanted("ann", "2", now))
	h.close()
	h.leave("ann", one)
	require.Equal(t, "first", <-one.events)
	_, open := <-one.events
	require.False(t, open)
}

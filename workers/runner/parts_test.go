package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/cloud"
)

// extended is a delivery that counts its extensions.
type extended struct {
	cloud.Delivery
	times int
}

func (e *extended) Extend(context.Context) error { e.times++; return nil }

func TestTheKeeperExtendsWhatIsHeldUntilItIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper(1, slog.New(slog.NewTextHandler(io.Discard, nil)))
		ctx, stop := context.WithCancel(t.Context())
		go k.run(ctx, time.Second)
		tasks, deliveries := make([]*task, 5), make([]*extended, 5)
		for i := range tasks {
			deliveries[i] = &extended{}
			tasks[i] = &task{Delivery: deliveries[i]}
			k.add(tasks[i])
		}
		time.Sleep(3500 * time.Millisecond)
		tasks[1].leaveAlone() // before it is removed
		k.remove(tasks[0])
		k.remove(tasks[3])
		time.Sleep(2 * time.Second)
		stop()
		synctest.Wait()
		for i, times := range []int{3, 3, 5, 3, 5} {
			assert.Equal(t, times, deliveries[i].times, "delivery %d", i)
		}
		assert.Equal(t, 3, k.count())
		assert.Empty(t, k.sank)
		k.remove(tasks[1])
		k.remove(tasks[4])
		assert.NotEmpty(t, k.sank)
	})
}

func TestPausesGrowAndAreSpread(t *testing.T) {
	r := &runner{Options: Options{Backoff: 100 * time.Millisecond, BackoffMax: 2 * time.Second}}
	for attempt, most := range map[int]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 5: 1600 * time.Millisecond, 6: 2 * time.Second, 1000: 2 * time.Second,
	} {
		different := map[time.Duration]bool{}
		for range 200 {
			pause := r.pause(attempt)
			different[pause] = true
			assert.LessOrEqual(t, pause, most)
			assert.GreaterOrEqual(t, pause, most/2)
		}
		assert.Greater(t, len(different), 100)
	}
}

func TestTheMemoryOfFailuresIsBounded(t *testing.T) {
	h := newHistory(Options{Name: "worker"})
	for i := range remembered + 100 {
		failing := &task{event: cloud.Event{Source: "/t", ID: fmt.Sprint(i)}, attempt: 1}
		assert.NoError(t, h.fail(t.Context(), failing, errors.New("failed")))
	}
	assert.Len(t, h.errors, remembered)
	again := &task{event: cloud.Event{Source: "/t", ID: fmt.Sprint(remembered + 99)}, attempt: 2}
	assert.NoError(t, h.recall(t.Context(), again))
	assert.Equal(t, "failed", again.past.First)
	h.forget(t.Context(), again)
	assert.Len(t, h.errors, remembered-1)
}

package runner

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// keeper knows the deliveries that a runner holds, worked on or waiting, and
// extends them until they are answered.
type keeper struct {
	sank chan struct{} // gets a word when as few as low, or none, are held
	low  int
	log  *slog.Logger

	mu   sync.Mutex
	held []*task
}

func newKeeper(low int, log *slog.Logger) *keeper {
	return &keeper{sank: make(chan struct{}, 1), low: low, log: log}
}

func (k *keeper) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.held)
}

func (k *keeper) add(t *task) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t.place = len(k.held)
	k.held = append(k.held, t)
}

func (k *keeper) remove(t *task) {
	k.mu.Lock()
	defer k.mu.Unlock()
	end := len(k.held) - 1
	k.held[t.place] = k.held[end]
	k.held[t.place].place = t.place
	k.held[end] = nil
	k.held = k.held[:end]
	if end == k.low || end == 0 {
		select {
		case k.sank <- struct{}{}:
		default:
		}
	}
}

// run extends everything once in a period until the context ends.
func (k *keeper) run(ctx context.Context, period time.Duration) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		k.mu.Lock()
		held := slices.Clone(k.held)
		k.mu.Unlock()
		for _, t := range held {
			if err := t.extend(ctx); err != nil && ctx.Err() == nil {
				k.log.Warn("extend", "event", t.event.ID, "trace", t.event.Trace().ID(), "error", err)
			}
		}
	}
}

// extend does nothing once the delivery is answered: a word more would undo
// the delay of one that was handed back.
func (t *task) extend(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.answered {
		return nil
	}
	return t.Extend(ctx)
}

// leaveAlone ends the extensions; the answer follows.
func (t *task) leaveAlone() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answered = true
}

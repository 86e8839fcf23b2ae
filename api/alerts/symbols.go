package alerts

import (
	"context"
	"sync"
	"time"
)

const (
	// symbolsKeep is how long what the market named counts.
	symbolsKeep = time.Minute
	// symbolsWait bounds the market's answer; while it is away every name counts.
	symbolsWait = 2 * time.Second
)

// symbols remembers what the market names. It is safe for concurrent use.
type symbols struct {
	source func(context.Context) ([]string, error)

	mu    sync.Mutex
	asked time.Time
	named map[string]struct{} // empty as long as the market has not answered
}

// known tells whether the market names a symbol. Any name counts while the
// market has never said what it has.
func (s *symbols) known(ctx context.Context, symbol string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.asked) >= symbolsKeep || s.asked.IsZero() {
		s.ask(ctx, now)
	}
	_, named := s.named[symbol]
	return named || len(s.named) == 0
}

// ask reads the market's names anew. What it said before stays true when it
// is away, and it is not asked at every request then either.
func (s *symbols) ask(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), symbolsWait)
	defer cancel()
	s.asked = now
	names, err := s.source(ctx)
	if err != nil {
		return
	}
	s.named = make(map[string]struct{}, len(names))
	for _, name := range names {
		s.named[name] = struct{}{}
	}
}

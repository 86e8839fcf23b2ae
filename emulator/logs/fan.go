package logs

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
)

// Fan is a handler that passes records on to others: to one that it always has,
// and to those that follow it for a while. It may be used from any goroutine.
type Fan struct {
	followers *atomic.Pointer[[]slog.Handler] // shared by all that With… made
	derive    []func(slog.Handler) slog.Handler
}

// NewFan makes a fan that always passes records on to the handler.
func NewFan(to slog.Handler) *Fan {
	f := &Fan{followers: &atomic.Pointer[[]slog.Handler]{}}
	f.followers.Store(&[]slog.Handler{to})
	return f
}

// Follow passes records on to one more handler until stop is called. A record
// that is being handled then may still reach it.
func (f *Fan) Follow(to slog.Handler) (stop func()) {
	f.change(func(list []slog.Handler) []slog.Handler { return append(list, to) })
	return func() {
		f.change(func(list []slog.Handler) (rest []slog.Handler) {
			for _, follower := range list {
				if follower != to {
					rest = append(rest, follower)
				}
			}
			return rest
		})
	}
}

func (f *Fan) change(how func([]slog.Handler) []slog.Handler) {
	for {
		old := f.followers.Load()
		next := how(append([]slog.Handler(nil), *old...))
		if f.followers.CompareAndSwap(old, &next) {
			return
		}
	}
}

// Enabled implements slog.Handler.
func (f *Fan) Enabled(ctx context.Context, level slog.Level) bool {
	for _, follower := range *f.followers.Load() {
		if follower.Enabled(ctx, level) {
			return true
		}
	}
	return false
}

// Handle implements slog.Handler.
func (f *Fan) Handle(ctx context.Context, r slog.Record) error {
	var err error
	for _, follower := range *f.followers.Load() {
		if !follower.Enabled(ctx, r.Level) {
			continue
		}
		for _, derive := range f.derive {
			follower = derive(follower)
		}
		err = errors.Join(err, follower.Handle(ctx, r.Clone()))
	}
	return err
}

// WithAttrs implements slog.Handler.
func (f *Fan) WithAttrs(attrs []slog.Attr) slog.Handler {
	return f.with(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (f *Fan) WithGroup(name string) slog.Handler {
	return f.with(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (f *Fan) with(derive func(slog.Handler) slog.Handler) *Fan {
	return &Fan{followers: f.followers, derive: append(f.derive[:len(f.derive):len(f.derive)], derive)}
}

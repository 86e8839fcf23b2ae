package runner

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Dependency is something without which the handler cannot work.
type Dependency struct {
	Name string
	// Check returns nil when the dependency can be used, soon.
	Check func(context.Context) error
}

// checkWait bounds a dependency's Check; one that does not end has failed.
const checkWait = 5 * time.Second

// gate is open while all dependencies can be used. Each has a breaker: what
// trips it closes the gate, and its Check alone opens it again.
type gate struct {
	runner       *runner
	dependencies []Dependency
	failures     atomic.Int32 // outages and failed checks since work last succeeded

	mu   sync.Mutex
	away map[string]bool
	open chan struct{} // closed while none is away
}

func newGate(dependencies []Dependency, r *runner) *gate {
	g := &gate{runner: r, dependencies: dependencies, away: map[string]bool{}, open: make(chan struct{})}
	close(g.open)
	for _, d := range dependencies {
		r.meter.paused(d.Name, false)
	}
	return g
}

// wait returns once the gate is open, or false when the context has ended.
func (g *gate) wait(ctx context.Context) bool {
	for ctx.Err() == nil {
		g.mu.Lock()
		open, away := g.open, len(g.away)
		g.mu.Unlock()
		if away == 0 {
			return true
		}
		select {
		case <-open:
		case <-ctx.Done():
		}
	}
	return false
}

// passed takes note that work succeeds.
func (g *gate) passed() {
	if g.failures.Load() > 0 {
		g.failures.Store(0)
	}
}

// check asks all dependencies and trips those that are away. It returns true
// when there is one.
func (g *gate) check(ctx context.Context) (away bool) {
	for _, d := range g.dependencies {
		if err := d.check(ctx); err != nil && ctx.Err() == nil {
			g.trip(d.Name, err)
			away = true
		}
	}
	return away
}

func (d Dependency) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	return d.Check(ctx)
}

// trip closes the gate until the named dependency's Check passes.
func (g *gate) trip(name string, reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.away[name] {
		return
	}
	if len(g.away) == 0 {
		g.open = make(chan struct{})
	}
	g.away[name] = true
	g.runner.meter.paused(name, true)
	g.runner.Logger.Warn("paused", "consumer", g.runner.Name, "dependency", name, "error", reason)
	g.runner.group.Go(func() { g.probe(name) })
}

// probe asks a dependency, less and less often, until it can be used.
func (g *gate) probe(name string) {
	d := g.find(name)
	for away := true; away; away = d.check(g.runner.ctx) != nil {
		if !wait(g.runner.ctx, g.runner.pause(int(g.failures.Add(1)))) {
			return
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.away, name)
	if len(g.away) == 0 {
		close(g.open)
	}
	g.runner.meter.paused(name, false)
	g.runner.Logger.Info("resumed", "consumer", g.runner.Name, "dependency", name)
}

// find returns one that nobody can ask where the name is not known.
func (g *gate) find(name string) Dependency {
	for _, d := range g.dependencies {
		if d.Name == name {
			return d
		}
	}
	return Dependency{Name: name, Check: func(context.Context) error { return nil }}
}

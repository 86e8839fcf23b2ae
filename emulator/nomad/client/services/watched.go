package services

import (
	"context"
	"time"

	consul "github.com/hashicorp/consul/api"
)

// watched is a check of a registered instance, and what is known of it.
type watched struct {
	check
	provider string
	service  string // the name of its instance
	owner    string // of its instance
	restart  *restart
	cancel   context.CancelFunc // ends what runs for it
	wake     chan struct{}      // a task has started: look now

	// Guarded by the allocation's mutex.
	result
	at time.Time
}

// result is what a check has found.
type result struct {
	status string // one of Consul's, or empty: not known yet
	output string
	code   int // of the HTTP answer; 0 without
}

func (a *allocation) newWatched(r *registration, c check) *watched {
	return &watched{
		check: c, provider: r.provider, service: r.name, owner: r.owner,
		restart: a.newRestart(c), cancel: func() {}, wake: make(chan struct{}, 1),
		result: result{output: "nomad: waiting to run"}, at: time.Now(),
	}
}

// start runs a check that the node runs itself; others are followed in Consul.
func (a *allocation) start(w *watched) {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	switch {
	case w.provider == providerNomad:
		a.checks.Go(func() { a.probe(ctx, w) })
	case w.spec.Type == "script":
		a.checks.Go(func() { a.runScript(ctx, w) })
	}
}

// stop ends it. What it finds from now on is not recorded.
func (w *watched) stop() {
	w.cancel()
	w.restart.stop()
}

// started says that a task runs which the check may be about.
func (w *watched) started(task string) {
	if w.task != "" && w.task != task {
		return
	}
	w.restart.begin()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// record takes in what a check has found, if it is still registered.
func (a *allocation) record(id string, found result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.registered {
		for _, w := range r.checks {
			if w.id != id {
				continue
			}
			before := w.status
			w.result, w.at = found, time.Now()
			w.restart.observe(found.status)
			if before != found.status {
				a.notifyLocked()
			}
		}
	}
}

func (a *allocation) notifyLocked() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// good reports whether a status is as well as the check has to be: always,
// with on_update = "ignore".
func (w *watched) goodLocked() bool {
	switch w.spec.OnUpdate {
	case onUpdateIgnore:
		return true
	case onUpdateIgnoreWarnings:
		return w.status == consul.HealthPassing || w.status == consul.HealthWarning
	}
	return w.status == consul.HealthPassing
}

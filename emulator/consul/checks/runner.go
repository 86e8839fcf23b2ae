package checks

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/consul/api"
)

// ErrNotTTL is what Update returns for a check that does not wait to be told.
var ErrNotTTL = errors.New("check is not a TTL check")

// Result is what a check has found.
type Result struct {
	Status string // api.HealthPassing, HealthWarning or HealthCritical
	Output string // for people
}

// Runner runs one check until it is closed.
type Runner struct {
	report func(Result)
	limit  int // of the output, in bytes
	cancel context.CancelFunc
	work   sync.WaitGroup
	ttl    *ttl // nil for other types

	mu     sync.Mutex // held while report runs, so that reports come one by one and none after Close
	last   Result
	closed bool
}

// Start runs a check that Validate has accepted. It calls report, from any goroutine but one at a time, whenever status or
// output differ from what the check had before; it starts with InitialStatus and no output. Source is needed for an alias
// check, and may be nil for others. The error is ErrNotImplemented.
//
// Report must not call Close or Update, nor wait for a lock under which another goroutine calls them.
func Start(d Definition, source Source, report func(Result)) (*Runner, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Runner{report: report, limit: d.outputLimit(), cancel: cancel, last: Result{Status: d.InitialStatus()}}
	switch d.Type() {
	case TypeTTL:
		r.ttl = startTTL(d.TTL, r.deliver)
	case TypeAlias:
		r.work.Go(func() { follow(ctx, source, d, r.deliver) })
	default:
		ask, err := newProbe(d)
		if err != nil {
			cancel()
			return nil, err
		}
		results := newThresholds(d)
		p := pace{interval: d.pollInterval(), settled: !d.Eager || d.InitialStatus() != api.HealthCritical}
		r.work.Go(func() {
			p.poll(ctx, func() (passed bool) {
				found := ask(ctx)
				r.take(ctx, results, found)
				return found.Status == api.HealthPassing
			})
		})
	}
	return r, nil
}

// take delivers what a probe has found, if it changes the status of the check and was not interrupted.
func (r *Runner) take(ctx context.Context, results *thresholds, found Result) {
	if found == (Result{}) || ctx.Err() != nil {
		return
	}
	if result, ok := results.take(found); ok {
		r.deliver(result)
	}
}

// Close ends the check: it interrupts a probe that runs, kills a script's processes, and returns once nothing runs any more.
// It may be called twice.
func (r *Runner) Close() {
	r.cancel()
	if r.ttl != nil {
		r.ttl.close()
	}
	r.work.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// Update gives a TTL check its status and output, reports them before it returns, and lets its time begin anew.
func (r *Runner) Update(status, output string) error {
	if r.ttl == nil {
		return ErrNotTTL
	}
	r.ttl.update(Result{Status: status, Output: capText(output, r.limit)})
	return nil
}

// deliver reports a result unless it is the one that was reported last.
func (r *Runner) deliver(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || result == r.last {
		return
	}
	r.last = result
	r.report(result)
}

// Package template renders the template blocks of tasks with consul-template:
// from Consul, from the variables and services of the region's own HTTP API,
// and from files; again whenever any of it changes. The node agent (package
// client) makes a hook.Templates for each task that has some, with New.
package template

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/hashicorp/consul-template/template"

	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// missingInterval is the time between two looks at what a first rendering
// still waits for.
const missingInterval = 3 * time.Second

// Config is what all tasks of a node have in common.
type Config struct {
	Nomad       string // the URL of the region's HTTP API
	Consul      string // the URL, or host:port, of a Consul agent; empty without one
	ConsulToken string
	Logger      *slog.Logger
}

// New returns what makes the templates of tasks. It fails for a template that
// cannot be read or whose paths lead out of the allocation.
func New(c Config) hook.NewTemplates {
	quiet()
	return func(task hook.Task) (hook.Templates, error) {
		r := &renderer{
			task: task, log: c.Logger, clients: &clients{config: c, task: task}, brain: template.NewBrain(), views: map[string]*view{},
			changed: make(chan struct{}, 1), rendered: make(chan struct{}), failed: make(chan struct{}), env: map[string]string{},
		}
		r.ctx, r.cancel = context.WithCancel(context.Background())
		// As it is now: what env templates add must not lead to new renderings.
		env := task.Env()
		for _, spec := range task.Spec().Templates {
			b, err := newBlock(task, env, spec)
			if err != nil {
				return nil, err
			}
			r.blocks = append(r.blocks, b)
		}
		return r, nil
	}
}

// renderer renders the templates of one task. All rendering is done by one
// goroutine, which Prestart starts.
type renderer struct {
	task    hook.Task
	log     *slog.Logger
	clients *clients
	blocks  []*block
	brain   *template.Brain  // what is known
	views   map[string]*view // what keeps it known
	changed chan struct{}    // there is something to do

	ctx        context.Context // of all goroutines
	cancel     context.CancelFunc
	goroutines sync.WaitGroup
	starting   sync.Once
	rendered   chan struct{} // closed when all have been rendered
	failed     chan struct{} // closed when one cannot be
	err        error         // why; set before failed is closed

	mu      sync.Mutex
	env     map[string]string
	running bool // the process that a change acts on
	ran     bool // one has run before
	pending change
}

// Prestart implements hook.Templates.
func (r *renderer) Prestart(ctx context.Context) error {
	r.mu.Lock()
	r.running, r.pending = false, change{} // the next process finds everything as it is
	r.mu.Unlock()
	r.starting.Do(func() { r.goroutines.Go(r.run) })
	select {
	case <-r.rendered:
		return nil
	case <-r.failed:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Env implements hook.Templates.
func (r *renderer) Env() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.env)
}

// Poststart implements hook.Templates.
func (r *renderer) Poststart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = true
	if !r.ran {
		r.ran = true
		for _, b := range r.blocks {
			if s := b.spec.ChangeScript; *b.spec.ChangeMode == modeScript && s.RunOnFirstRender != nil && *s.RunOnFirstRender {
				r.pending.add(b.spec)
			}
		}
	}
	r.wake()
}

// Stop implements hook.Templates. A question that Consul or the region holds
// open is left alone; what comes of it is dropped.
func (r *renderer) Stop() {
	r.cancel()
	r.goroutines.Wait()
	for _, v := range r.views {
		v.of.Stop()
	}
	r.clients.stop()
}

func (r *renderer) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// run renders whenever something has changed.
func (r *renderer) run() {
	missing := time.NewTicker(missingInterval)
	defer missing.Stop()
	told := ""
	for {
		next, err := r.round()
		if err != nil {
			r.fail(err)
			return
		}
		timer := time.NewTimer(time.Until(next))
		if next.IsZero() {
			timer.Stop()
		}
		select {
		case <-r.ctx.Done():
		case <-r.changed:
		case <-timer.C:
		case <-missing.C:
			told = r.tellMissing(told)
		}
		timer.Stop()
		if r.ctx.Err() != nil {
			return
		}
	}
}

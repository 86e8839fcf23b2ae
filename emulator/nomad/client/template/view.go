package template

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/consul-template/dependency"
)

const (
	// blockingTime is how long Consul or the region may keep a question open.
	blockingTime = time.Minute
	// minimumPause is the time between two questions, and firstRetry that before
	// a question that failed is asked again; it doubles up to lastRetry.
	minimumPause = 100 * time.Millisecond
	firstRetry   = 250 * time.Millisecond
	lastRetry    = 8 * time.Second
)

// view keeps the answer to one question of templates known.
type view struct {
	of     dependency.Dependency
	cancel context.CancelFunc
}

// view sees to it that the answer becomes known. It fails when there is nobody
// to ask.
func (r *renderer) view(d dependency.Dependency) error {
	if r.views[d.String()] != nil {
		return nil
	}
	switch {
	case d.Type() == dependency.TypeVault:
		return fmt.Errorf("%s: there is no Vault here: use nomadVar", d)
	case d.Type() == dependency.TypeConsul && r.clients.config.Consul == "":
		return fmt.Errorf("%s: this node has no Consul agent: use nomadVar and nomadService, or configure one", d)
	}
	ctx, cancel := context.WithCancel(r.ctx)
	v := &view{of: d, cancel: cancel}
	r.views[d.String()] = v
	r.goroutines.Go(func() { r.follow(ctx, v) })
	return nil
}

// dropViews ends those that no template uses any more.
func (r *renderer) dropViews(used map[string]bool) {
	for name, v := range r.views {
		if !used[name] {
			v.cancel()
			v.of.Stop()
			r.brain.Forget(v.of)
			delete(r.views, name)
		}
	}
}

// follow asks again and again, each time for what is new since the last answer.
func (r *renderer) follow(ctx context.Context, v *view) {
	var (
		index uint64
		last  *answer
		retry = firstRetry
	)
	for first := true; ctx.Err() == nil; first = false {
		asked := time.Now()
		a := r.ask(ctx, v.of, index)
		pause := minimumPause - time.Since(asked)
		if first {
			pause = 0
		}
		switch {
		case ctx.Err() != nil:
			return
		case a.err != nil:
			r.log.Debug("a template waits for what it asks for", "task", r.task.Spec().Name, "error", a.err)
			index, pause, retry = 0, retry, min(2*retry, lastRetry)
		case a.index < index: // it begins anew
			index, retry = 0, firstRetry
		default:
			changed := a.index != index && (last == nil || !reflect.DeepEqual(last.data, a.data))
			index, retry = a.index, firstRetry
			if changed && (a.data != nil || !a.waits) {
				last = a
				r.brain.Remember(v.of, a.data)
				r.wake()
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// answer is what came of a question.
type answer struct {
	data  any
	index uint64
	waits bool // no data is no answer
	err   error
}

// ask asks once. It leaves a question that is held open alone when ctx ends.
func (r *renderer) ask(ctx context.Context, d dependency.Dependency, index uint64) *answer {
	if file, ok := d.(*dependency.FileQuery); ok {
		return r.readFile(ctx, file, index)
	}
	got := make(chan *answer, 1)
	go func() {
		set, err := r.clients.get()
		if err != nil {
			got <- &answer{err: err}
			return
		}
		data, meta, err := d.Fetch(set, &dependency.QueryOptions{WaitIndex: index, WaitTime: blockingTime})
		if err != nil {
			got <- &answer{err: err}
			return
		}
		got <- &answer{data: data, index: meta.LastIndex, waits: meta.BlockOnNil}
	}()
	select {
	case a := <-got:
		return a
	case <-ctx.Done():
		return &answer{err: ctx.Err()}
	}
}

// fileInterval is the time between two looks at a file.
const fileInterval = 2 * time.Second

// readFile reads a file of the task; that it is one, consul-template has made
// sure of, and a link that was put there since leads nowhere.
func (r *renderer) readFile(ctx context.Context, d *dependency.FileQuery, index uint64) *answer {
	if index > 0 {
		select {
		case <-ctx.Done():
			return &answer{err: ctx.Err()}
		case <-time.After(fileInterval):
		}
	}
	// consul-template keeps the path to itself, but for this text.
	path := strings.TrimSuffix(strings.TrimPrefix(d.String(), "file("), ")")
	root, err := os.OpenRoot(r.task.Dir().Root)
	if err != nil {
		return &answer{err: err}
	}
	defer root.Close()
	relative, err := filepath.Rel(r.task.Dir().Root, path)
	if err != nil {
		return &answer{err: err}
	}
	text, err := root.ReadFile(relative)
	if err != nil {
		return &answer{err: err}
	}
	return &answer{data: string(text), index: index + 1}
}

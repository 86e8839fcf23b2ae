package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/drydock/drydock/jobs/explain"
)

// deployment is one deployment of the jobs.
type deployment struct {
	options Options
	units   []*unit // all of the folder
	cluster explain.Cluster
	began   time.Time

	telling sync.Mutex
}

// prepare reads the files, and what Nomad knows of the jobs.
func prepare(ctx context.Context, o Options) (*deployment, error) {
	d := &deployment{options: o, cluster: explain.Cluster{Nomad: o.Nomad, Consul: o.Consul}, began: time.Now()}
	var err error
	if d.units, err = readUnits(o); err != nil {
		return nil, err
	}
	for _, u := range d.units {
		if err := u.lookUp(ctx, o.Nomad); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *deployment) run(ctx context.Context) error {
	if err := d.putVariables(ctx); err != nil {
		return err
	}
	parts, roles := d.chosen(func(u *unit) bool { return u.Part() != "" }), d.chosen(func(u *unit) bool { return u.Part() == "" })
	if err := d.each(parts, func(u *unit) error { return d.deploy(ctx, u, true) }); err != nil {
		if len(roles) > 0 {
			err = fmt.Errorf("%w\nnot deployed, as they need it: %s", err, strings.Join(ids(roles), ", "))
		}
		return err
	}
	return d.each(roles, func(u *unit) error { return d.deploy(ctx, u, !d.options.Detach) })
}

// chosen are the jobs to deploy of a kind.
func (d *deployment) chosen(kind func(*unit) bool) (list []*unit) {
	for _, u := range d.units {
		if u.chosen && kind(u) {
			list = append(list, u)
		}
	}
	return list
}

func ids(units []*unit) (list []string) {
	for _, u := range units {
		list = append(list, u.id)
	}
	return list
}

// each does the same with all jobs at once, and returns what went wrong with any.
func (d *deployment) each(units []*unit, do func(*unit) error) error {
	failures := make([]error, len(units))
	var all sync.WaitGroup
	for i, u := range units {
		all.Go(func() { failures[i] = do(u) })
	}
	all.Wait()
	return errors.Join(slices.DeleteFunc(failures, func(err error) bool { return err == nil })...)
}

// tell tells of a step.
func (d *deployment) tell(u *unit, state State, version uint64, detail string) {
	if d.options.Progress == nil {
		return
	}
	d.telling.Lock()
	defer d.telling.Unlock()
	d.options.Progress(Event{Job: u.id, State: state, Version: version, Detail: detail, Took: time.Since(d.began)})
}

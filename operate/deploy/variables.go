package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs"
)

// read is the variables as they are in Nomad, with the index of each.
func (d *deployment) read(ctx context.Context) (variables, map[string]uint64, error) {
	found, indexes := variables{}, map[string]uint64{}
	for _, u := range d.units {
		v, _, err := d.options.Nomad.Variables().Peek(jobs.VariablePath(u.id), u.reading(ctx))
		if err != nil {
			return nil, nil, fmt.Errorf("read the Nomad variable %s: %w", jobs.VariablePath(u.id), err)
		}
		if v != nil {
			found[u.id], indexes[u.id] = v.Items, v.ModifyIndex
		}
	}
	return found, indexes, nil
}

// vault reads the variables, and completes them in memory alone.
func (d *deployment) vault(ctx context.Context) (before variables, indexes map[string]uint64, v *vault, err error) {
	if before, indexes, err = d.read(ctx); err != nil {
		return nil, nil, nil, err
	}
	v = &vault{options: d.options, units: d.units, items: maps.Clone(before)}
	v.fill()
	if len(v.missing) > 0 {
		return nil, nil, nil, &MissingItemsError{Missing: v.missing}
	}
	return before, indexes, v, nil
}

// putVariables writes what is missing in the variables. Another who writes one
// at the same time has what it says of them taken over.
func (d *deployment) putVariables(ctx context.Context) error {
	for {
		before, indexes, v, err := d.vault(ctx)
		if err != nil {
			return err
		}
		err = d.write(ctx, before, indexes, v.items)
		if conflict := (api.ErrCASConflict{}); !errors.As(err, &conflict) {
			return err
		}
	}
}

func (d *deployment) write(ctx context.Context, before variables, indexes map[string]uint64, after variables) error {
	for _, u := range inOrder(d.units) {
		if len(after[u.id]) == 0 || maps.Equal(before[u.id], after[u.id]) {
			continue
		}
		v := &api.Variable{Path: jobs.VariablePath(u.id), Items: after[u.id], ModifyIndex: indexes[u.id]}
		if _, _, err := d.options.Nomad.Variables().CheckedUpdate(v, u.writing(ctx)); err != nil {
			return fmt.Errorf("put the Nomad variable %s: %w", v.Path, err)
		}
	}
	return nil
}

package nomad

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// writeEverywhere makes a change that the authoritative region makes for all:
// there first, whose index the header tells, and then in the others. The change
// runs once for each of them.
func (r *request) writeEverywhere(change func(*state.Tx) error) error {
	r.region = r.region.authority()
	if err := r.write(change); err != nil {
		return err
	}
	for _, other := range r.region.nomad.regions[1:] {
		if err := other.store.Write(change); err != nil {
			return fmt.Errorf("replicate a change to region %s: %w", other.options.Name, err)
		}
	}
	return nil
}

// use is a way in which a thing may be in use.
type use struct {
	says string
	is   func(*state.View) bool
}

// checkEmpty says in which regions a thing is in use, and how, if it is.
func (n *Nomad) checkEmpty(thing string, uses []use) error {
	var problems *multierror.Error
	for _, use := range uses {
		var where []string
		for _, region := range n.regions {
			if use.is(region.store.View()) {
				where = append(where, region.options.Name)
			}
		}
		if len(where) > 0 {
			problems = multierror.Append(problems, fmt.Errorf("%s %s in regions: [%s]", thing, use.says, strings.Join(where, " ")))
		}
	}
	return problems.ErrorOrNil()
}

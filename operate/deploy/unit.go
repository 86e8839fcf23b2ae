package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs"
)

// unit is a job of the folder.
type unit struct {
	jobs.Job
	id     string
	items  jobs.Items // that it reads
	chosen bool       // it is to be deployed
	known  *api.Job   // as Nomad has it; nil if it has not, or has it stopped
	index  uint64     // of the last change of it in Nomad; 0 if that has not had it
}

// here tells whether the job is there once all is deployed.
func (u *unit) here() bool { return u.chosen || u.known != nil }

func (u *unit) reading(ctx context.Context) *api.QueryOptions {
	return (&api.QueryOptions{Namespace: u.namespace()}).WithContext(ctx)
}

func (u *unit) writing(ctx context.Context) *api.WriteOptions {
	return (&api.WriteOptions{Namespace: u.namespace()}).WithContext(ctx)
}

// namespace is that of the file; empty for the client's.
func (u *unit) namespace() string {
	if u.Namespace == nil {
		return ""
	}
	return *u.Namespace
}

// readUnits reads all jobs of the folder: those that are not to be deployed
// say who else has to have a password.
func readUnits(o Options) ([]*unit, error) {
	names, err := jobs.Names(o.Jobs)
	if err != nil {
		return nil, err
	}
	for _, name := range o.Names {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no job file of %q: there are those of %s", name, strings.Join(names, ", "))
		}
	}
	var units []*unit
	for _, name := range names {
		u, err := readUnit(o, name)
		if err != nil {
			return nil, err
		}
		units = append(units, u)
	}
	return units, checkVariables(o.Variables, units)
}

func readUnit(o Options, name string) (*unit, error) {
	chosen := len(o.Names) == 0 || slices.Contains(o.Names, name)
	values := o.Variables
	if !chosen { // what is for all jobs is for those that are deployed
		values = maps.Clone(values)
		maps.DeleteFunc(values, func(variable, _ string) bool { return !strings.Contains(variable, ".") })
	}
	job, err := jobs.Read(o.Jobs, name, jobs.Given(values, name))
	if err != nil {
		return nil, err
	}
	items, err := job.Items()
	if err != nil {
		return nil, err
	}
	return &unit{Job: job, id: *job.ID, items: items, chosen: chosen}, nil
}

// checkVariables refuses variables that no file declares: of a job by name, or
// of any that is deployed.
func checkVariables(given map[string]string, units []*unit) error {
	for _, variable := range slices.Sorted(maps.Keys(given)) {
		declares := func(u *unit) bool {
			name := variable
			if strings.Contains(variable, ".") {
				name, _ = strings.CutPrefix(variable, u.Name+".")
			}
			_, found := u.Variables[name]
			return found
		}
		if !slices.ContainsFunc(units, declares) {
			return fmt.Errorf("the variable %q is given, which no job file declares: name it as count, or images.count for one job", variable)
		}
	}
	return nil
}

// lookUp asks Nomad which jobs it has.
func (u *unit) lookUp(ctx context.Context, nomad *api.Client) error {
	u.known, u.index = nil, 0
	known, _, err := nomad.Jobs().Info(u.id, u.reading(ctx))
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read job %q: %w", u.id, err)
	}
	u.index = *known.JobModifyIndex
	if known.Stop == nil || !*known.Stop {
		u.known = known
	}
	return nil
}

func isNotFound(err error) bool {
	var answer api.UnexpectedResponseError
	return errors.As(err, &answer) && answer.HasStatusCode() && answer.StatusCode() == 404
}

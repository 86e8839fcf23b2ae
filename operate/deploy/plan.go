package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs/explain"
)

// Change is what deploying would do with a job.
type Change struct {
	Job         string     `json:"job"` // its ID
	Kind        ChangeKind `json:"kind"`
	Items       []string   `json:"items,omitempty"`       // of the job's Nomad variable that would be written
	Differences []string   `json:"differences,omitempty"` // in the job, a line each
	Unplaced    string     `json:"unplaced,omitempty"`    // why there is no place for it now
	Warnings    string     `json:"warnings,omitempty"`
}

// ChangeKind is what becomes of a job.
type ChangeKind string

const (
	ChangeNew  ChangeKind = "new"
	ChangeJob  ChangeKind = "changed"
	ChangeNone ChangeKind = "unchanged"
)

// Plan says what Run would do, and does none of it.
func Plan(ctx context.Context, o Options) ([]Change, error) {
	d, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	before, _, v, err := d.vault(ctx)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for _, u := range inOrder(d.units) {
		items := changed(before[u.id], v.items[u.id])
		switch {
		case u.chosen:
			change, err := d.plan(ctx, u)
			if err != nil {
				return nil, &JobError{Job: u.id, Err: fmt.Errorf("plan: %w", err)}
			}
			change.Items = items
			changes = append(changes, change)
		case len(items) > 0: // it is told of the others' passwords
			changes = append(changes, Change{Job: u.id, Kind: ChangeNone, Items: items})
		}
	}
	return changes, nil
}

// changed are the items that are not as they were.
func changed(before, after map[string]string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if value, there := before[name]; !there || value != after[name] {
			names = append(names, name)
		}
	}
	return names
}

func (d *deployment) plan(ctx context.Context, u *unit) (Change, error) {
	answer, _, err := d.options.Nomad.Jobs().PlanOpts(u.Job.Job, &api.PlanOptions{Diff: true}, u.writing(ctx))
	if err != nil {
		return Change{}, err
	}
	c := Change{Job: u.id, Kind: ChangeNone, Unplaced: explain.Unplaced(answer.FailedTGAllocs), Warnings: oneLine(answer.Warnings)}
	if u.known == nil {
		c.Kind = ChangeNew
		return c, nil
	}
	if answer.Diff != nil {
		c.Differences = differences(answer.Diff)
	}
	if len(c.Differences) > 0 {
		c.Kind = ChangeJob
	}
	return c, nil
}

// differences are what is different in a job, a line each. Nomad takes some
// blocks for edited of which nothing is.
func differences(diff *api.JobDiff) []string {
	lines := differentParts("", diff.Fields, diff.Objects)
	for _, group := range diff.TaskGroups {
		if group.Type == "None" {
			continue
		}
		of := "group " + group.Name
		lines = append(lines, whole(of, group.Type)...)
		lines = append(lines, differentParts(of+" ", group.Fields, group.Objects)...)
		for _, task := range group.Tasks {
			if task.Type == "None" {
				continue
			}
			of := "task " + task.Name
			lines = append(lines, whole(of, task.Type)...)
			lines = append(lines, differentParts(of+" ", task.Fields, task.Objects)...)
		}
	}
	return lines
}

// whole is the line of what comes or goes as a whole.
func whole(name, kind string) []string {
	if kind == "Added" || kind == "Deleted" {
		return []string{name + ": " + verbs[kind]}
	}
	return nil
}

var verbs = map[string]string{"Added": "added", "Deleted": "removed"}

func differentParts(of string, fields []*api.FieldDiff, objects []*api.ObjectDiff) (lines []string) {
	for _, f := range fields {
		if f.Type != "None" {
			lines = append(lines, fmt.Sprintf("%s%s: %q → %q", of, f.Name, f.Old, f.New))
		}
	}
	for _, o := range objects {
		inside := differentParts(of+o.Name+".", o.Fields, o.Objects)
		if len(inside) == 0 {
			inside = whole(of+o.Name, o.Type)
		}
		lines = append(lines, inside...)
	}
	return lines
}

package jobs

import (
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
)

// Types of differences.
const (
	DiffNone    = "None"
	DiffAdded   = "Added"
	DiffDeleted = "Deleted"
	DiffEdited  = "Edited"
)

// Diff tells how the second of two canonical versions of a job differs from the
// first, which is nil when there is none. Both stay as they are. It has no
// annotations; Annotate adds them.
func Diff(old, changed *api.Job) *api.JobDiff {
	a, b := orEmpty(old), orEmpty(changed)
	diff := &api.JobDiff{
		Type: presence(old != nil, changed != nil), ID: value(a.ID),
		Fields: fieldDiffs(jobFields(old), jobFields(changed), changedOnly),
		Objects: slices.Concat(
			textsDiff("Datacenters", a.Datacenters, b.Datacenters),
			setDiff("Constraint", a.Constraints, b.Constraints, shallow),
			setDiff("Affinity", a.Affinities, b.Affinities, shallow),
			one("Periodic", a.Periodic, b.Periodic, periodicDiff),
			one("ParameterizedJob", a.ParameterizedJob, b.ParameterizedJob, parameterizedDiff),
			one("UI", a.UI, b.UI, uiDiff),
		),
		TaskGroups: groupDiffs(old, changed),
	}
	if changed != nil {
		diff.ID = value(changed.ID)
	}
	groupChanged := func(g *api.TaskGroupDiff) bool { return g.Type != DiffNone }
	if diff.Type == DiffEdited && len(diff.Fields)+len(diff.Objects) == 0 && !slices.ContainsFunc(diff.TaskGroups, groupChanged) {
		diff.Type = DiffNone
	}
	return diff
}

// orEmpty stands for a job that is not there.
func orEmpty[T any](v *T) *T {
	if v == nil {
		return new(T)
	}
	return v
}

func presence(old, changed bool) string {
	switch {
	case !old && !changed:
		return DiffNone
	case !old:
		return DiffAdded
	case !changed:
		return DiffDeleted
	default:
		return DiffEdited
	}
}

// same compares two values, for which an empty list is none.
func same(a, b any) bool { return equal(reflect.ValueOf(a), reflect.ValueOf(b)) }

func jobFields(job *api.Job) fields {
	if job == nil {
		return nil
	}
	f := flatten(job, "Dispatched", "AllAtOnce", "Meta", "Name", "Namespace", "NodePool", "Priority", "Region", "Stop", "Type", "VaultNamespace")
	return f
}

func groupDiffs(old, changed *api.Job) []*api.TaskGroupDiff {
	olds, news := byName(orEmpty(old).TaskGroups, groupName), byName(orEmpty(changed).TaskGroups, groupName)
	var diffs []*api.TaskGroupDiff
	for _, name := range names(olds, news) {
		diffs = append(diffs, groupDiff(name, olds[name], news[name]))
	}
	return diffs
}

func groupName(g *api.TaskGroup) string { return value(g.Name) }

// byName finds the elements of a list by what names them. Those that are absent
// are left out.
func byName[T any](list []*T, name func(*T) string) map[string]*T {
	found := map[string]*T{}
	for _, v := range list {
		if v != nil {
			found[name(v)] = v
		}
	}
	return found
}

// names are the keys of two maps, sorted.
func names[T any](a, b map[string]T) []string {
	var all []string
	for name := range a {
		all = append(all, name)
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			all = append(all, name)
		}
	}
	slices.SortFunc(all, strings.Compare)
	return all
}

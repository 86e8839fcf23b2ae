package jobs

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/hashicorp/nomad/api"
)

// parts compares what a block is made of. One of the two may be nil.
type parts[T any] func(old, changed *T) ([]*api.FieldDiff, []*api.ObjectDiff)

// shallow compares blocks that have primitive fields only.
func shallow[T any](old, changed *T) ([]*api.FieldDiff, []*api.ObjectDiff) {
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext), nil
}

// fieldsOf are the fields of a block, or none where there is none.
func fieldsOf[T any](block *T, only ...string) fields {
	if block == nil {
		return nil
	}
	return flatten(block, only...)
}

// one compares a block that is there once, or not.
func one[T any](name string, old, changed *T, compare parts[T]) []*api.ObjectDiff {
	if old == nil && changed == nil || old != nil && changed != nil && same(old, changed) {
		return nil
	}
	diff := &api.ObjectDiff{Type: presence(old != nil, changed != nil), Name: name}
	diff.Fields, diff.Objects = compare(old, changed)
	return []*api.ObjectDiff{diff}
}

// setDiff compares blocks that have no name and no order: one that has changed is
// another one.
func setDiff[T any](name string, old, changed []*T, compare parts[T]) []*api.ObjectDiff {
	missing := func(from, in []*T) []*T {
		return slices.DeleteFunc(slices.Clone(from), func(v *T) bool {
			return v == nil || slices.ContainsFunc(in, func(other *T) bool { return other != nil && same(v, other) })
		})
	}
	var diffs []*api.ObjectDiff
	for _, v := range missing(changed, old) {
		diffs = append(diffs, one(name, nil, v, compare)...)
	}
	for _, v := range missing(old, changed) {
		diffs = append(diffs, one(name, v, nil, compare)...)
	}
	slices.SortStableFunc(diffs, compareObjects)
	return diffs
}

// namedDiff compares blocks that a name tells apart.
func namedDiff[T any](name string, old, changed map[string]*T, compare parts[T]) []*api.ObjectDiff {
	var diffs []*api.ObjectDiff
	for _, key := range names(old, changed) {
		diffs = append(diffs, one(name, old[key], changed[key], compare)...)
	}
	slices.SortStableFunc(diffs, compareObjects)
	return diffs
}

// orderedDiff compares blocks that their place in a list tells apart.
func orderedDiff[T any](name string, old, changed []*T, compare parts[T]) []*api.ObjectDiff {
	at := func(list []*T, i int) *T {
		if i < len(list) {
			return list[i]
		}
		return nil
	}
	var diffs []*api.ObjectDiff
	for i := range max(len(old), len(changed)) {
		diffs = append(diffs, one(name, at(old, i), at(changed, i), compare)...)
	}
	return diffs
}

// compareObjects orders objects of one name.
func compareObjects(a, b *api.ObjectDiff) int {
	return cmp.Or(
		cmp.Compare(a.Type, b.Type),
		cmp.Compare(len(a.Fields), len(b.Fields)),
		cmp.Compare(len(a.Objects), len(b.Objects)),
		slices.CompareFunc(a.Fields, b.Fields, compareFields),
	)
}

// textsDiff compares lists of texts, whose order does not matter. Unchanged ones
// are shown beside changed ones.
func textsDiff(name string, old, changed []string) []*api.ObjectDiff {
	diff := texts(name, old, changed)
	if diff == nil || diff.Type == DiffNone {
		return nil
	}
	return []*api.ObjectDiff{diff}
}

// texts is like textsDiff, and shows lists that have not changed; no lists are
// nil.
func texts(name string, old, changed []string) *api.ObjectDiff {
	diff := &api.ObjectDiff{Type: DiffNone, Name: name}
	was, is := map[string]bool{}, map[string]bool{}
	for _, text := range old {
		was[text] = true
	}
	for _, text := range changed {
		is[text] = true
	}
	added, deleted := false, false
	for text := range is {
		if was[text] {
			diff.Fields = append(diff.Fields, &api.FieldDiff{Type: DiffNone, Name: name, Old: text, New: text})
		} else {
			added = true
			diff.Fields = append(diff.Fields, &api.FieldDiff{Type: DiffAdded, Name: name, New: text})
		}
	}
	for text := range was {
		if !is[text] {
			deleted = true
			diff.Fields = append(diff.Fields, &api.FieldDiff{Type: DiffDeleted, Name: name, Old: text})
		}
	}
	if len(diff.Fields) == 0 {
		return nil
	}
	slices.SortFunc(diff.Fields, compareFields)
	switch {
	case added && deleted:
		diff.Type = DiffEdited
	case added:
		diff.Type = DiffAdded
	case deleted:
		diff.Type = DiffDeleted
	}
	return diff
}

// textsShown is the list of texts as a part of a block that is shown.
func textsShown(name string, old, changed []string) []*api.ObjectDiff {
	if diff := texts(name, old, changed); diff != nil {
		return []*api.ObjectDiff{diff}
	}
	return nil
}

// freeForm compares blocks whose fields are the user's own.
func freeForm(name string, old, changed map[string]any) []*api.ObjectDiff {
	if equal(reflect.ValueOf(old), reflect.ValueOf(changed)) {
		return nil
	}
	diff := &api.ObjectDiff{Type: presence(len(old) > 0, len(changed) > 0), Name: name}
	diff.Fields = fieldDiffs(flattenMap(old), flattenMap(changed), withContext)
	return []*api.ObjectDiff{diff}
}

// textMap turns a map of texts into a free-form block.
func textMap(m map[string]string) map[string]any {
	free := map[string]any{}
	for key, text := range maps.All(m) {
		free[key] = text
	}
	return free
}

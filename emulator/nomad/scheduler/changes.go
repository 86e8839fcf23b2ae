package scheduler

import (
	"maps"
	"reflect"
	"slices"

	"github.com/hashicorp/nomad/api"
)

// runsOther tells whether the instances of a group have to be replaced when
// their job becomes another: what runs, or what it runs with, differs. All else
// of a job can change beneath a running instance.
func runsOther(old, next *api.Job, group string) bool {
	a, b := old.LookupTaskGroup(group), next.LookupTaskGroup(group)
	if a == nil || b == nil || len(a.Tasks) != len(b.Tasks) {
		return true
	}
	if !alike(environmentOf(a), environmentOf(b)) {
		return true
	}
	for _, task := range a.Tasks {
		i := slices.IndexFunc(b.Tasks, func(t *api.Task) bool { return t.Name == task.Name })
		if i < 0 || !alike(substance(old, a, task), substance(next, b, b.Tasks[i])) {
			return true
		}
	}
	return false
}

// environmentOf is what all tasks of a group run in.
func environmentOf(g *api.TaskGroup) []any {
	return []any{g.EphemeralDisk, g.Networks, g.Volumes, g.Consul}
}

// substance is what a task cannot go on running without when it changes.
func substance(job *api.Job, group *api.TaskGroup, t *api.Task) []any {
	return []any{
		t.Driver, t.User, t.Config, t.Env, metaOf(job, group, t), t.Resources,
		t.Artifacts, t.Templates, t.Vault, t.Consul, t.Identity, t.Identities, t.Secrets,
		t.VolumeMounts, t.CSIPluginConfig, t.LogConfig != nil && value(t.LogConfig.Disabled),
	}
}

// metaOf is the metadata that a task sees.
func metaOf(job *api.Job, group *api.TaskGroup, t *api.Task) map[string]string {
	meta := map[string]string{}
	for _, level := range []map[string]string{job.Meta, group.Meta, t.Meta} {
		maps.Copy(meta, level)
	}
	return meta
}

// alike compares values of a job's specification by their content. Empty and
// nil, which a way through JSON mixes up, are the same.
func alike(a, b any) bool { return alikeValues(reflect.ValueOf(a), reflect.ValueOf(b)) }

func alikeValues(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return vacant(a) && vacant(b)
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return vacant(a) && vacant(b)
		}
		return a.Kind() == reflect.Pointer && a.Pointer() == b.Pointer() || alikeValues(a.Elem(), b.Elem())
	case reflect.Slice:
		return alikeLists(a, b)
	case reflect.Map:
		return alikeMaps(a, b)
	case reflect.Struct:
		for i := range a.NumField() {
			if !alikeValues(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

func alikeLists(a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if !alikeValues(a.Index(i), b.Index(i)) {
			return false
		}
	}
	return true
}

func alikeMaps(a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	for _, key := range a.MapKeys() {
		if in := b.MapIndex(key); !in.IsValid() || !alikeValues(a.MapIndex(key), in) {
			return false
		}
	}
	return true
}

// vacant tells whether a value says nothing.
func vacant(v reflect.Value) bool {
	if !v.IsValid() {
		return true
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return v.IsNil()
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return false
}

// value is what a pointer points to; the zero value when it is nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

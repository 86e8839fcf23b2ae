package jobs

import (
	"reflect"

	"github.com/hashicorp/nomad/api"
)

// dropAbsent removes the entries of lists and maps of a job that are null in its
// JSON and that all who read jobs expect to be there.
func dropAbsent(job *api.Job) { clean(reflect.ValueOf(job), false) }

// emptyToAbsent makes lists and maps without entries absent, as they are in what
// the servers keep.
func emptyToAbsent(job *api.Job) { clean(reflect.ValueOf(job), true) }

// clean walks a value of the client's types, and changes it.
func clean(v reflect.Value, dropEmpty bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			clean(v.Elem(), dropEmpty)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			clean(v.Field(i), dropEmpty)
		}
	case reflect.Slice:
		cleanList(v, dropEmpty)
	case reflect.Map:
		cleanMap(v, dropEmpty)
	}
}

func cleanList(v reflect.Value, dropEmpty bool) {
	kept := v.Slice(0, 0)
	for i := range v.Len() {
		if entry := v.Index(i); entry.Kind() != reflect.Pointer || !entry.IsNil() {
			clean(entry, dropEmpty)
			kept = reflect.Append(kept, entry)
		}
	}
	if kept.Len() < v.Len() {
		v.Set(kept)
	}
	if dropEmpty && v.Len() == 0 {
		v.SetZero()
	}
}

func cleanMap(v reflect.Value, dropEmpty bool) {
	if v.Type().Elem().Kind() == reflect.Pointer {
		for _, key := range v.MapKeys() {
			if entry := v.MapIndex(key); entry.IsNil() {
				v.SetMapIndex(key, reflect.Value{})
			} else {
				clean(entry, dropEmpty)
			}
		}
	}
	if dropEmpty && v.Len() == 0 {
		v.SetZero()
	}
}

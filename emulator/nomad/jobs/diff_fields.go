package jobs

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/hashicorp/nomad/api"
)

// fields are the primitive values of a block, by their names; those of a map are
// named as in Meta[key].
type fields map[string]string

// context says whether unchanged fields are shown beside changed ones.
type context bool

const (
	changedOnly context = false
	withContext context = true
)

// fieldDiffs compares the fields of two versions of a block. No field and an
// empty one are the same.
func fieldDiffs(old, changed fields, c context) []*api.FieldDiff {
	var diffs []*api.FieldDiff
	for _, name := range names(old, changed) {
		before, after := old[name], changed[name]
		kind := DiffEdited
		switch {
		case before == after:
			kind = DiffNone
		case before == "":
			kind = DiffAdded
		case after == "":
			kind = DiffDeleted
		}
		if kind != DiffNone || c == withContext {
			diffs = append(diffs, &api.FieldDiff{Type: kind, Name: name, Old: before, New: after})
		}
	}
	return diffs
}

// flatten returns the primitive fields of a block: those named, or all.
func flatten(block any, only ...string) fields {
	v := reflect.Indirect(reflect.ValueOf(block))
	flat := fields{}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		switch f := v.Field(i); {
		case f.Kind() == reflect.Map && f.Type().Elem().Kind() == reflect.String:
			for _, key := range f.MapKeys() {
				flat[name+"["+key.String()+"]"] = f.MapIndex(key).String()
			}
		case f.Kind() == reflect.Map && f.Type().Elem().Kind() == reflect.Interface:
			flattenValue(flat, name, f)
		default:
			if text, ok := primitive(f); ok {
				flat[name] = text
			}
		}
	}
	return flat
}

// primitive is a value that is neither a list nor a block, as a text.
func primitive(v reflect.Value) (text string, ok bool) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", false
		}
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	default:
		return "", false
	}
}

// flattenMap flattens a free-form block, such as the configuration of a driver:
// its lists and maps are part of the names.
func flattenMap(m map[string]any) fields {
	flat := fields{}
	for key, v := range m {
		flattenValue(flat, key, reflect.ValueOf(v))
	}
	return flat
}

func flattenValue(into fields, name string, v reflect.Value) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Invalid:
		into[name] = "nil"
	case reflect.Map:
		for _, key := range v.MapKeys() {
			flattenValue(into, fmt.Sprintf("%s[%v]", name, key), v.MapIndex(key))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			flattenValue(into, name+"["+strconv.Itoa(i)+"]", v.Index(i))
		}
	default:
		into[name] = fmt.Sprint(v)
	}
}

// equal compares two values deeply, for which an empty list or map is none.
func equal(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return equal(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, key := range a.MapKeys() {
			if !equal(a.MapIndex(key), b.MapIndex(key)) {
				return false
			}
		}
		return true
	default:
		return a.Interface() == b.Interface()
	}
}

// compareFields orders fields by name, and those of one name by their values.
func compareFields(a, b *api.FieldDiff) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New))
}

// Package settings reads what the agents of emulated programs are told: files
// in HCL or JSON and flags of a command line, brought together as one tree of
// values and then decoded into a struct. The packages config of the emulated
// programs are its callers.
package settings

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/hashicorp/hcl"
)

// Tree is what one or several sources say.
type Tree = map[string]any

// Parse reads HCL, or JSON when asJSON. Nothing at all is an empty tree.
func Parse(text []byte, asJSON bool) (Tree, error) {
	values := Tree{}
	switch {
	case len(strings.TrimSpace(string(text))) == 0:
	case asJSON:
		if err := json.Unmarshal(text, &values); err != nil {
			return nil, err
		}
	default:
		if err := hcl.Unmarshal(text, &values); err != nil {
			return nil, err
		}
		values, _ = unwrap(values).(Tree)
	}
	return values, nil
}

// unwrap makes a map of each list that HCL has made of a single block.
func unwrap(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			value[name] = unwrap(member)
		}
	case []map[string]any:
		if len(value) == 1 {
			return unwrap(value[0])
		}
		list := make([]any, len(value))
		for i, member := range value {
			list[i] = unwrap(member)
		}
		return list
	case []any:
		for i, member := range value {
			value[i] = unwrap(member)
		}
	}
	return value
}

// Merge puts what is in from over what is in into: maps are brought together,
// lists are appended, all else is replaced.
func Merge(into, from Tree) {
	for name, value := range from {
		switch value := value.(type) {
		case map[string]any:
			if old, ok := into[name].(map[string]any); ok {
				Merge(old, value)
				continue
			}
			fresh := map[string]any{}
			Merge(fresh, value)
			into[name] = fresh
		case []any:
			old, _ := into[name].([]any)
			into[name] = slices.Concat(old, value)
		default:
			into[name] = value
		}
	}
}

// Put sets a setting, whose name is in the form a.b.
func Put(in Tree, setting string, value any) {
	for {
		outer, inner, nested := strings.Cut(setting, ".")
		if !nested {
			in[setting] = value
			return
		}
		next, ok := in[outer].(map[string]any)
		if !ok {
			next = map[string]any{}
			in[outer] = next
		}
		in, setting = next, inner
	}
}

// Decode reads a tree into a struct, and says which of its settings there is
// no place for. A setting's name is a field's without regard to case and
// underscores. Further hooks read types of the caller's own.
func Decode(from Tree, into any, hooks ...mapstructure.DecodeHookFunc) (unknown []string, err error) {
	hooks = append([]mapstructure.DecodeHookFunc{asList, asMap}, append(hooks, mapstructure.StringToTimeDurationHookFunc())...)
	var read mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:     into,
		Metadata:   &read,
		MatchName:  sameName,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(hooks...),
	})
	if err != nil {
		return nil, err
	}
	err = decoder.Decode(from)
	return read.Unused, err
}

// sameName compares a setting's name with a field's: lib_port is LibPort.
func sameName(setting, field string) bool {
	return strings.EqualFold(strings.ReplaceAll(setting, "_", ""), strings.ReplaceAll(field, "_", ""))
}

// asList makes a list of one block, which HCL cannot tell from a list's only member.
func asList(from, to reflect.Type, value any) (any, error) {
	if from.Kind() == reflect.Map && to.Kind() == reflect.Slice {
		return []any{value}, nil
	}
	return value, nil
}

// asMap makes one map of several labelled blocks, which HCL reads as a list.
func asMap(from, to reflect.Type, value any) (any, error) {
	list, ok := value.([]any)
	if !ok || to.Kind() != reflect.Map && to.Kind() != reflect.Struct {
		return value, nil
	}
	all := Tree{}
	for _, member := range list {
		block, ok := member.(map[string]any)
		if !ok {
			return value, nil
		}
		Merge(all, block)
	}
	return all, nil
}

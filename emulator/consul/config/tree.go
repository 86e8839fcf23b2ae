package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"

	"github.com/drydock/drydock/emulator/consul/state"
)

// tree is what one source says.
type tree struct {
	name string // of the source, for errors
	tree map[string]any
}

// InvalidError says what is wrong with one source of settings.
type InvalidError struct {
	Source string
	Reason string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("failed to parse %s: %s", e.Source, e.Reason)
}

// refusal is an error in Consul's own words.
type refusal string

func (r refusal) Error() string { return string(r) }

// inList is the part of a setting's name that says where in a list it is.
var inList = regexp.MustCompile(`\[\d+\]`)

// check says which of a source's settings have no meaning here; the error, an
// *InvalidError, tells what Consul does not know or take.
func check(from tree) (ignored []string, err error) {
	unknown, err := decode(from.tree, &settings{})
	if err != nil {
		return nil, &InvalidError{from.name, err.Error()}
	}
	var invalid []string
	for _, name := range unknown {
		if plain := inList.ReplaceAllString(name, ""); isUnused(plain) {
			ignored = append(ignored, plain)
		} else {
			invalid = append(invalid, name)
		}
	}
	if len(invalid) == 0 {
		return ignored, nil
	}
	slices.Sort(invalid)
	reason := fmt.Sprintf("%d errors occurred:", len(invalid))
	if len(invalid) == 1 {
		reason = "1 error occurred:"
	}
	for _, name := range invalid {
		reason += "\n\t* invalid config key " + name
	}
	return nil, &InvalidError{from.name, reason + "\n\n"}
}

// decode reads settings, and says which of them there is no place for.
func decode(from map[string]any, into *settings) (unknown []string, err error) {
	var read mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:     into,
		Metadata:   &read,
		MatchName:  sameName,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(asList, asDuration, mapstructure.StringToTimeDurationHookFunc()),
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

// asDuration reads a text as the duration that it is.
func asDuration(from, to reflect.Type, value any) (any, error) {
	if from.Kind() == reflect.String && to == reflect.TypeFor[state.Duration]() {
		read, err := time.ParseDuration(reflect.ValueOf(value).String())
		return state.Duration(read), err
	}
	return value, nil
}

// merge puts what is in from over what is in into: maps are brought together,
// lists are appended, all else is replaced.
func merge(into, from map[string]any) {
	for name, value := range from {
		switch value := value.(type) {
		case map[string]any:
			if old, ok := into[name].(map[string]any); ok {
				merge(old, value)
				continue
			}
			fresh := map[string]any{}
			merge(fresh, value)
			into[name] = fresh
		case []any:
			old, _ := into[name].([]any)
			into[name] = slices.Concat(old, value)
		default:
			into[name] = value
		}
	}
}

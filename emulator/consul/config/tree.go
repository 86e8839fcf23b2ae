package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/settings"
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
	unknown, err := decode(from.tree, &agentSettings{})
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
func decode(from settings.Tree, into *agentSettings) (unknown []string, err error) {
	return settings.Decode(from, into, asDuration)
}

// asDuration reads a text as the duration that it is.
func asDuration(from, to reflect.Type, value any) (any, error) {
	if from.Kind() == reflect.String && to == reflect.TypeFor[state.Duration]() {
		read, err := time.ParseDuration(reflect.ValueOf(value).String())
		return state.Duration(read), err
	}
	return value, nil
}

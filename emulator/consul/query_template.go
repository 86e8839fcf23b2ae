package consul

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hil"
	"github.com/hashicorp/hil/ast"

	"github.com/drydock/drydock/emulator/consul/state"
)

// namePrefixMatch is the one type of templates that there is.
const namePrefixMatch = "name_prefix_match"

// compileTemplate tells what is wrong with a query's template, if it has one.
func compileTemplate(q *state.Query) error {
	if q.Template.Type == "" {
		return nil
	}
	if _, err := renderQuery(q, q.Name); err != nil {
		return errText("failed compiling template: %v", err)
	}
	return nil
}

// renderQuery is what a template makes of the name that a query is asked for
// by: all texts of what it says about the service are interpolated. A query
// that is no template is as it is.
func renderQuery(q *state.Query, name string) (*state.Query, error) {
	if q.Template.Type == "" {
		return q, nil
	}
	scope, err := templateScope(q, name)
	if err != nil {
		return nil, err
	}
	rendered := *q
	service, err := interpolate(reflect.ValueOf(q.Service), "Service", &hil.EvalConfig{GlobalScope: scope})
	if err != nil {
		return nil, err
	}
	rendered.Service = service.Interface().(state.ServiceQuery)
	if q.Template.RemoveEmptyTags {
		rendered.Service.Tags = slices.DeleteFunc(rendered.Service.Tags, func(tag string) bool { return tag == "" })
	}
	return &rendered, nil
}

// templateScope has the variables and the function that templates may use.
func templateScope(q *state.Query, name string) (*ast.BasicScope, error) {
	if q.Template.Type != namePrefixMatch {
		return nil, errText("Bad Template.Type '%s'", q.Template.Type)
	}
	matches, err := templateMatches(q.Template.Regexp, name)
	if err != nil {
		return nil, errText("Bad Regexp: %v", err)
	}
	text := func(value string) ast.Variable { return ast.Variable{Type: ast.TypeString, Value: value} }
	return &ast.BasicScope{
		VarMap: map[string]ast.Variable{
			"name.full":     text(name),
			"name.prefix":   text(q.Name),
			"name.suffix":   text(strings.TrimPrefix(name, q.Name)),
			"agent.segment": text(""),
		},
		FuncMap: map[string]ast.Function{"match": {
			ArgTypes:   []ast.Type{ast.TypeInt},
			ReturnType: ast.TypeString,
			Callback: func(args []any) (any, error) {
				if i, ok := args[0].(int); ok && i >= 0 && i < len(matches) {
					return matches[i], nil
				}
				return "", nil
			},
		}},
	}, nil
}

// templateMatches are what a template's pattern finds in a name: all of it and
// its groups; nothing when there is no pattern.
func templateMatches(pattern, name string) ([]string, error) {
	if pattern == "" {
		return nil, nil
	}
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return compiled.FindStringSubmatch(name), nil
}

// interpolate is a copy of a value with all texts in it interpolated. Where is
// what messages call the value.
func interpolate(value reflect.Value, where string, config *hil.EvalConfig) (reflect.Value, error) {
	made := reflect.New(value.Type()).Elem()
	made.Set(value)
	set := func(part reflect.Value, where string, put func(reflect.Value)) error {
		done, err := interpolate(part, where, config)
		if err == nil {
			put(done)
		}
		return err
	}
	switch value.Kind() {
	case reflect.String:
		text, err := interpolateText(value.String(), where, config)
		made.SetString(text)
		return made, err
	case reflect.Struct:
		for i := range value.NumField() {
			if err := set(value.Field(i), where+"."+value.Type().Field(i).Name, made.Field(i).Set); err != nil {
				return made, err
			}
		}
	case reflect.Slice:
		if value.IsNil() {
			return made, nil
		}
		made.Set(reflect.MakeSlice(value.Type(), value.Len(), value.Len()))
		for i := range value.Len() {
			if err := set(value.Index(i), fmt.Sprintf("%s[%d]", where, i), made.Index(i).Set); err != nil {
				return made, err
			}
		}
	case reflect.Map:
		if value.IsNil() {
			return made, nil
		}
		made.Set(reflect.MakeMap(value.Type()))
		for _, key := range value.MapKeys() {
			put := func(done reflect.Value) { made.SetMapIndex(key, done) }
			if err := set(value.MapIndex(key), fmt.Sprintf("%s[%s]", where, key), put); err != nil {
				return made, err
			}
		}
	}
	return made, nil
}

func interpolateText(text, where string, config *hil.EvalConfig) (string, error) {
	tree, err := hil.Parse(text)
	if err != nil {
		return "", errText("Bad format '%s' in %s: %v", text, where, err)
	}
	result, err := hil.Eval(tree, config)
	if err != nil {
		return "", errText("Bad evaluation for '%s' in %s: %v", text, where, err)
	}
	made, ok := result.Value.(string)
	if !ok {
		return "", errText("Bad result for '%s' in %s: it is not a text", text, where)
	}
	return made, nil
}

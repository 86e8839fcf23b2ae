package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	taskenv "github.com/drydock/drydock/emulator/nomad/client/environment"
)

// decodeTaskConfig evaluates the config block of a task, in which each text is
// a template, and returns it as the driver takes it, and whether it refers to
// nothing. The error is worded for the event Failed Validation.
func decodeTaskConfig(config map[string]any, schema hcldec.Spec, env taskenv.Env) (_ json.RawMessage, constant bool, err error) {
	if config == nil {
		config = map[string]any{}
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, false, fmt.Errorf("failed to parse config: %w", err)
	}
	file, diagnostics := hcljson.Parse(text, "<config>")
	if diagnostics.HasErrors() {
		return nil, false, configError(diagnostics)
	}
	evaluation := &hcl.EvalContext{} // most blocks refer to nothing
	asked := hcldec.Variables(file.Body, schema)
	if len(asked) > 0 {
		evaluation = evaluationContext(env, asked)
	}
	value, diagnostics := hcldec.Decode(file.Body, schema, evaluation)
	if diagnostics.HasErrors() {
		return nil, false, configError(diagnostics)
	}
	text, err = ctyjson.Marshal(value, value.Type())
	return text, len(asked) == 0, err
}

func configError(diagnostics hcl.Diagnostics) error {
	all := multierror.Append(nil, errors.New("failed to parse config: "))
	for _, d := range diagnostics {
		if d.Summary == "Extraneous JSON object property" { // that it is JSON nobody knows
			d.Summary = "Invalid label"
		}
		all = multierror.Append(all, fmt.Errorf("%s: %s", d.Summary, d.Detail))
	}
	return all
}

// evaluationContext holds the variables of the environment and, of what is
// known of the node, what is asked for.
func evaluationContext(env taskenv.Env, asked []hcl.Traversal) *hcl.EvalContext {
	own := env.Map()
	vars := make(map[string]cty.Value, len(own))
	for name, value := range own {
		vars[name] = cty.StringVal(value)
	}
	all := cty.MapValEmpty(cty.String)
	if len(vars) > 0 {
		all = cty.MapVal(maps.Clone(vars))
	}
	vars["env"] = all
	tree := map[string]any{"node": map[string]any{}, "attr": map[string]any{}, "meta": map[string]any{}}
	for _, traversal := range asked {
		if path := names(traversal); len(path) > 1 {
			if value, known := env.Reference(strings.Join(path, ".")); known {
				plant(tree, path, value)
			}
		}
	}
	for name, branch := range tree {
		vars[name] = objectOf(branch)
	}
	return &hcl.EvalContext{Variables: vars}
}

// names are the steps of a reference such as attr.kernel.name.
func names(traversal hcl.Traversal) []string {
	var path []string
	for _, step := range traversal {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			path = append(path, step.Name)
		case hcl.TraverseAttr:
			path = append(path, step.Name)
		case hcl.TraverseIndex:
			if step.Key.Type() == cty.String {
				path = append(path, step.Key.AsString())
			}
		}
	}
	return path
}

// plant puts a value where the path leads, unless a value is on its way.
func plant(tree map[string]any, path []string, value string) {
	for _, name := range path[:len(path)-1] {
		branch, ok := tree[name].(map[string]any)
		if !ok {
			if _, taken := tree[name]; taken {
				return
			}
			branch = map[string]any{}
			tree[name] = branch
		}
		tree = branch
	}
	tree[path[len(path)-1]] = value
}

func objectOf(branch any) cty.Value {
	if value, ok := branch.(string); ok {
		return cty.StringVal(value)
	}
	values := map[string]cty.Value{}
	for name, branch := range branch.(map[string]any) {
		values[name] = objectOf(branch)
	}
	return cty.ObjectVal(values)
}

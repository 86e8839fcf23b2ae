package nomad

import (
	"cmp"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func variableRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/vars", (*request).variables),
		faithful(http.MethodGet, "/v1/var/{path...}", (*request).variable),
		faithful(http.MethodPut, "/v1/var/{path...}", (*request).putVariable),
		faithful(http.MethodDelete, "/v1/var/{path...}", (*request).deleteVariable),
	}
}

// variableStub is a variable as lists have it: filters name the fields of what
// is in it, as in Nomad.
type variableStub struct{ api.VariableMetadata }

// variableAnswer is a variable as it is told to whoever may read it.
type variableAnswer struct {
	api.VariableMetadata
	Items api.VariableItems `json:",omitempty"`
}

// variables lists the variables that the caller may list, none of which is an answer too.
func (r *request) variables() (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	namespace, prefix := r.namespace(), r.query.Get("prefix")
	at := func(v *state.Variable) position { return position{name: v.Namespace + "." + v.Path} }
	return r.block(func(view *state.View) (any, uint64, error) {
		rows := view.VariablesOf(namespace, prefix)
		if namespace == allNamespaces {
			rows = variablesOfAll(view, prefix)
		}
		list, err := page(r, rows, at, func(v *state.Variable) (*variableStub, bool) {
			return &variableStub{v.VariableMetadata}, c.variable(v.Namespace, v.Path, acl.ListVariable)
		})
		return list, tableIndex(view, state.TableVariables), err
	})
}

// variablesOfAll are those of all namespaces, in the order of pages.
func variablesOfAll(view *state.View, prefix string) iter.Seq[*state.Variable] {
	var list []*state.Variable
	for v := range view.Variables() {
		if strings.HasPrefix(v.Path, prefix) {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b *state.Variable) int {
		return cmp.Compare(a.Namespace+"."+a.Path, b.Namespace+"."+b.Path)
	})
	return slices.Values(list)
}

func (r *request) variable() (any, error) {
	path, namespace := r.PathValue("path"), r.namespace()
	if path == "" {
		return nil, badRequest("missing variable path")
	}
	if err := r.needVariable(namespace, path, acl.ReadVariable); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		v := view.Variable(namespace, path)
		if v == nil {
			return nil, tableIndex(view, state.TableVariables), notFound("variable not found")
		}
		items, err := r.region.decrypt(v)
		return variableAnswer{v.VariableMetadata, items}, v.ModifyIndex, err
	})
}

// needVariable is an error unless the caller has the capability for the variable.
func (r *request) needVariable(namespace, path string, capability acl.Capability) error {
	c, err := r.identify()
	if err != nil {
		return err
	}
	if !c.variable(namespace, path, capability) {
		return errDenied
	}
	return nil
}

package nomad

import (
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/api/contexts"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func searchRoutes() []route {
	return []route{
		faithful(http.MethodPut, "/v1/search", (*request).search),
		faithful(http.MethodPut, "/v1/search/fuzzy", (*request).fuzzySearch),
	}
}

// maxMatches is how many matches of a context are told at most.
const maxMatches = 20

// thing is what a search finds.
type thing struct{ id, namespace string }

// searchContext is one kind of things that can be searched for.
type searchContext struct {
	name  contexts.Context
	index string // that says how new the list is
	// may tells whether the caller may find them; in a namespace when they are in one.
	may  func(may *acl.Authorizer, namespace string) bool
	list func(view *state.View, prefix string) iter.Seq[thing]
	text bool // its names are searched fuzzily, too
}

func inNamespace(capabilities ...acl.Capability) func(*acl.Authorizer, string) bool {
	return func(may *acl.Authorizer, namespace string) bool {
		return namespace == allNamespaces && may.AnyNamespace(capabilities...) || may.Namespace(namespace, capabilities...)
	}
}

func readsNodes(may *acl.Authorizer, _ string) bool { return may.Allows(acl.Read, acl.Node) }

// things lists rows as things.
func things[Row any](rows iter.Seq[Row], of func(Row) thing) iter.Seq[thing] {
	return func(yield func(thing) bool) {
		for row := range rows {
			if !yield(of(row)) {
				return
			}
		}
	}
}

func searchContexts() []searchContext {
	jobs := inNamespace(acl.ReadJob)
	return []searchContext{
		{contexts.Jobs, state.TableJobs, inNamespace(acl.ListJobs, acl.ReadJob), jobThings, true},
		{contexts.Evals, state.TableEvaluations, jobs, func(view *state.View, prefix string) iter.Seq[thing] {
			return things(view.EvaluationsWithPrefix(prefix), func(e *api.Evaluation) thing { return thing{e.ID, e.Namespace} })
		}, false},
		{contexts.Allocs, state.TableAllocations, jobs, func(view *state.View, prefix string) iter.Seq[thing] {
			return things(view.AllocationsWithPrefix(prefix), func(a *state.Allocation) thing { return thing{a.ID, a.Namespace} })
		}, false},
		{contexts.Deployments, state.TableDeployments, jobs, func(view *state.View, prefix string) iter.Seq[thing] {
			return things(view.DeploymentsWithPrefix(prefix), func(d *api.Deployment) thing { return thing{d.ID, d.Namespace} })
		}, false},
		{contexts.Nodes, state.TableNodes, readsNodes, func(view *state.View, prefix string) iter.Seq[thing] {
			return things(view.NodesWithPrefix(prefix), func(n *state.Node) thing { return thing{id: n.ID} })
		}, false},
		{contexts.NodePools, state.TableNodePools, readsNodes, func(view *state.View, prefix string) iter.Seq[thing] {
			return things(view.NodePools(prefix), func(p *api.NodePool) thing { return thing{id: p.Name} })
		}, true},
		{contexts.Namespaces, state.TableNamespaces, func(may *acl.Authorizer, _ string) bool { return may.AnyNamespace(acl.ListJobs) },
			func(view *state.View, prefix string) iter.Seq[thing] {
				return things(view.Namespaces(prefix), func(n *api.Namespace) thing { return thing{id: n.Name} })
			}, true},
	}
}

// jobThings are those of all namespaces, whose IDs begin with the prefix.
func jobThings(view *state.View, prefix string) iter.Seq[thing] {
	return func(yield func(thing) bool) {
		for job := range view.Jobs() {
			if strings.HasPrefix(*job.ID, prefix) && !yield(thing{*job.ID, *job.Namespace}) {
				return
			}
		}
	}
}

// chosenContexts are those that a search is in; an error when the caller may not.
func (r *request) chosenContexts(asked contexts.Context) ([]searchContext, error) {
	may, err := r.may()
	if err != nil {
		return nil, err
	}
	known := asked == contexts.All || asked == "" || slices.Contains([]contexts.Context{
		contexts.Quotas, contexts.Recommendations, contexts.ScalingPolicies, contexts.Plugins, contexts.Variables,
		contexts.Volumes, contexts.HostVolumes, contexts.Groups, contexts.Services, contexts.Tasks, contexts.Images,
		contexts.Commands, contexts.Classes,
	}, asked)
	var chosen []searchContext
	for _, c := range searchContexts() {
		if (asked == c.name || asked == contexts.All || asked == "") && c.may(may, r.namespace()) {
			chosen = append(chosen, c)
		}
		known = known || asked == c.name
	}
	switch {
	case !known:
		return nil, fail(http.StatusInternalServerError, "context must be one of %v or 'all' for all contexts; got %q", contextNames(), asked)
	case len(chosen) == 0 && r.asked.nomad.options.ACL && !may.AnyNamespace(acl.ListJobs, acl.ReadJob) && !readsNodes(may, ""):
		return nil, errDenied
	}
	return chosen, nil
}

func contextNames() []contexts.Context {
	var names []contexts.Context
	for _, c := range searchContexts() {
		names = append(names, c.name)
	}
	return names
}

func (r *request) search() (any, error) {
	var asked api.SearchRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	chosen, err := r.chosenContexts(asked.Context)
	if err != nil {
		return nil, err
	}
	may, _ := r.may() // it is known by now
	view := r.region.store.View()
	answer := api.SearchResponse{Matches: map[contexts.Context][]string{}, Truncations: map[contexts.Context]bool{}}
	index := uint64(0)
	for _, c := range chosen {
		matches := []string{}
		truncated := false
		for found := range c.list(view, asked.Prefix) {
			if !r.finds(may, c, found) {
				continue
			}
			if truncated = len(matches) == maxMatches; truncated {
				break
			}
			matches = append(matches, found.id)
		}
		if len(matches) > 0 || asked.Context == c.name {
			answer.Matches[c.name], answer.Truncations[c.name] = matches, truncated
		}
		index = max(index, view.Index(c.index))
	}
	return r.searched(&answer.QueryMeta, index, answer), nil
}

// searched sets what the answer tells of itself, in it and in the headers.
func (r *request) searched(meta *api.QueryMeta, index uint64, answer any) any {
	meta.LastIndex, meta.KnownLeader = index, true
	r.setIndex(index)
	return answer
}

// finds tells whether a search in the request's namespace shows the thing.
func (r *request) finds(may *acl.Authorizer, c searchContext, found thing) bool {
	if found.namespace == "" {
		return true
	}
	asked := r.namespace()
	return (asked == allNamespaces || found.namespace == asked) && c.may(may, found.namespace)
}

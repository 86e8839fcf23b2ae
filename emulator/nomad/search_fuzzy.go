package nomad

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/api/contexts"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

const (
	minFuzzyText = 2   // characters
	maxFuzzy     = 100 // matches of a context
)

// fuzzy collects what a text is found in.
type fuzzy struct {
	text    string // in lower case
	answer  api.FuzzySearchResponse
	wanted  func(contexts.Context) bool
	matches map[contexts.Context][]placed
}

// placed is a match, and where in its name the text is.
type placed struct {
	match api.FuzzyMatch
	at    int
}

func (f *fuzzy) try(in contexts.Context, name string, scope ...string) {
	if !f.wanted(in) || name == "" {
		return
	}
	if at := strings.Index(strings.ToLower(name), f.text); at >= 0 {
		f.matches[in] = append(f.matches[in], placed{api.FuzzyMatch{ID: name, Scope: scope}, at})
	}
}

func (r *request) fuzzySearch() (any, error) {
	var asked api.FuzzySearchRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if len(asked.Text) < minFuzzyText {
		return nil, fail(http.StatusInternalServerError, "fuzzy search query must be at least %d characters, got %d", minFuzzyText, len(asked.Text))
	}
	chosen, err := r.chosenContexts(asked.Context)
	if err != nil {
		return nil, err
	}
	may, _ := r.may() // it is known by now
	view := r.region.store.View()
	f := &fuzzy{text: strings.ToLower(asked.Text), matches: map[contexts.Context][]placed{}}
	f.wanted = func(c contexts.Context) bool {
		return asked.Context == c || asked.Context == contexts.All || asked.Context == ""
	}
	index := uint64(0)
	for _, c := range chosen {
		index = max(index, view.Index(c.index))
		if !c.text || c.name == contexts.Jobs {
			continue
		}
		for found := range c.list(view, "") {
			if r.finds(may, c, found) {
				f.try(c.name, found.id, scopeOf(found)...)
			}
		}
	}
	r.fuzzyJobs(f, view, may)
	r.fuzzyNodes(f, view, may)
	f.sort()
	return r.searched(&f.answer.QueryMeta, index, f.answer), nil
}

func scopeOf(found thing) []string {
	if found.namespace == "" {
		return nil
	}
	return []string{found.namespace}
}

// fuzzyJobs searches the names in jobs: their own, and those of their groups,
// tasks, services, images, commands and classes.
func (r *request) fuzzyJobs(f *fuzzy, view *state.View, may *acl.Authorizer) {
	readable := inNamespace(acl.ReadJob)
	for job := range view.Jobs() {
		namespace, id := *job.Namespace, *job.ID
		if asked := r.namespace(); asked != allNamespaces && asked != namespace || !readable(may, namespace) {
			continue
		}
		f.try(contexts.Jobs, *job.Name, namespace, id)
		for _, group := range job.TaskGroups {
			f.try(contexts.Groups, *group.Name, namespace, id)
			for _, s := range group.Services {
				f.try(contexts.Services, s.Name, namespace, id, *group.Name)
			}
			for _, task := range group.Tasks {
				scope := []string{namespace, id, *group.Name, task.Name}
				f.try(contexts.Tasks, task.Name, scope[:3]...)
				for _, s := range task.Services {
					f.try(contexts.Services, s.Name, scope...)
				}
				for key, in := range map[string]contexts.Context{
					"image": contexts.Images, "command": contexts.Commands, "class": contexts.Classes,
				} {
					name, _ := task.Config[key].(string)
					f.try(in, name, scope...)
				}
			}
		}
	}
}

// fuzzyNodes searches the names of nodes.
func (r *request) fuzzyNodes(f *fuzzy, view *state.View, may *acl.Authorizer) {
	if !readsNodes(may, "") {
		return
	}
	for node := range view.Nodes() {
		f.try(contexts.Nodes, node.Name, node.ID)
	}
}

// sort puts those first in which the text comes first, and then the shorter ones.
func (f *fuzzy) sort() {
	f.answer.Matches = map[contexts.Context][]api.FuzzyMatch{}
	f.answer.Truncations = map[contexts.Context]bool{}
	for in, list := range f.matches {
		slices.SortStableFunc(list, func(a, b placed) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(len(a.match.ID), len(b.match.ID)), cmp.Compare(a.match.ID, b.match.ID))
		})
		f.answer.Truncations[in] = len(list) > maxFuzzy
		for _, p := range list[:min(len(list), maxFuzzy)] {
			f.answer.Matches[in] = append(f.answer.Matches[in], p.match)
		}
	}
}

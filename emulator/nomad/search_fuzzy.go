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
	matches map[contexts.Context][]placed
}

// placed is a match, and where in its name the text is.
type placed struct {
	match api.FuzzyMatch
	at    int
}

func (f *fuzzy) try(in contexts.Context, name string, scope ...string) {
	if name == "" {
		return
	}
	if at := strings.Index(strings.ToLower(name), f.text); at >= 0 {
		f.matches[in] = append(f.matches[in], placed{api.FuzzyMatch{ID: name, Scope: scope}, at})
	}
}

// fuzzySearch finds what has a text in its name and, where there are no names,
// what has an ID that begins with it.
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
	view := r.region.store.View()
	answer := newSearched[api.FuzzyMatch]()
	f := &fuzzy{text: strings.ToLower(asked.Text), matches: map[contexts.Context][]placed{}}
	for _, c := range chosen {
		answer.Index = max(answer.Index, view.Index(c.index))
		answer.Truncations[c.name] = false
		if c.named {
			r.tryNames(f, view, c)
		} else {
			answer.Matches[c.name], answer.Truncations[c.name] = r.beginningWith(view, c, asked.Text)
		}
	}
	for in, list := range f.matches {
		matches, truncated := best(list)
		answer.Matches[in] = matches
		if truncated {
			answer.Truncations[in] = true
		}
	}
	r.setIndex(answer.Index)
	return answer, nil
}

// beginningWith are the matches of a context without names, never nil.
func (r *request) beginningWith(view *state.View, c searchContext, text string) (matches []api.FuzzyMatch, truncated bool) {
	may, _ := r.may() // it is known by now
	matches = []api.FuzzyMatch{}
	if c.list == nil {
		return matches, false
	}
	for found := range c.list(view, text) {
		if !r.finds(may, c, found, false) {
			continue
		}
		if len(matches) == maxFuzzy {
			return matches, true
		}
		matches = append(matches, api.FuzzyMatch{ID: found.id})
	}
	return matches, false
}

// tryNames searches the names of a context.
func (r *request) tryNames(f *fuzzy, view *state.View, c searchContext) {
	if c.list == nil {
		return
	}
	may, _ := r.may() // it is known by now
	for found := range c.list(view, "") {
		if r.finds(may, c, found, false) {
			f.try(c.name, found.name, found.scope...)
		}
	}
	if c.name == contexts.Jobs {
		r.tryParts(f, view, may)
	}
}

// tryParts searches the names in jobs: those of groups, tasks, services, images,
// commands and classes.
func (r *request) tryParts(f *fuzzy, view *state.View, may *acl.Authorizer) {
	readable := inNamespace(acl.ReadJob)
	for job := range view.Jobs() {
		namespace, id := *job.Namespace, *job.ID
		if asked := r.namespace(); asked != allNamespaces && asked != namespace || !readable(may, namespace) {
			continue
		}
		for _, group := range job.TaskGroups {
			f.try(contexts.Groups, *group.Name, namespace, id)
			for _, s := range group.Services {
				f.try(contexts.Services, s.Name, namespace, id, *group.Name)
			}
			for _, task := range group.Tasks {
				f.tryTask(task, namespace, id, *group.Name, task.Name)
			}
		}
	}
}

func (f *fuzzy) tryTask(task *api.Task, scope ...string) {
	f.try(contexts.Tasks, task.Name, scope[:len(scope)-1]...)
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

// best are the matches in which the text comes first, and of those the shorter ones.
func best(list []placed) (matches []api.FuzzyMatch, truncated bool) {
	slices.SortStableFunc(list, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(len(a.match.ID), len(b.match.ID)), cmp.Compare(a.match.ID, b.match.ID))
	})
	for _, p := range list[:min(len(list), maxFuzzy)] {
		matches = append(matches, p.match)
	}
	return matches, len(list) > maxFuzzy
}

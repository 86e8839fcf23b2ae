package nomad

import (
	"net/http"
	"regexp"
	"sync"

	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/api/contexts"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

func searchRoutes() []route {
	return []route{
		faithful(http.MethodPut, "/v1/search", (*request).search),
		faithful(http.MethodPut, "/v1/search/fuzzy", (*request).fuzzySearch),
	}
}

// maxMatches is how many matches of a context are told at most.
const maxMatches = 20

// searched is the answer to a search. Matches are those of each context that
// was looked at; none is null.
type searched[Match any] struct {
	Matches     map[contexts.Context][]Match
	Truncations map[contexts.Context]bool
	Index       uint64
	KnownLeader bool
	LastContact int
	NextToken   string
}

func newSearched[Match any]() searched[Match] {
	return searched[Match]{Matches: map[contexts.Context][]Match{}, Truncations: map[contexts.Context]bool{}, KnownLeader: true}
}

// chosenContexts are those that a search is in; an error when the caller may not.
func (r *request) chosenContexts(asked contexts.Context) ([]searchContext, error) {
	may, err := r.may()
	if err != nil {
		return nil, err
	}
	known, names := asked == contexts.All, []contexts.Context{}
	var chosen []searchContext
	for _, c := range searchContexts() {
		names = append(names, c.name)
		known = known || asked == c.name
		if (asked == c.name || asked == contexts.All) && c.may(may, r.namespace()) {
			chosen = append(chosen, c)
		}
	}
	switch {
	case !known:
		return nil, fail(http.StatusInternalServerError, "context must be one of %v or 'all' for all contexts; got %q", names, asked)
	case !r.maySearch(may):
		return nil, errDenied
	}
	return chosen, nil
}

// maySearch tells whether there is anything that the caller may find.
func (r *request) maySearch(may *acl.Authorizer) bool {
	if r.namespace() == allNamespaces {
		return readsNodes(may, "") || may.AnyNamespace(acl.ListJobs, acl.ReadJob)
	}
	return readsNodes(may, "") || may.SeesNamespace(r.namespace())
}

// partOfUUID is what an ID may begin with.
var partOfUUID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[0-9a-fA-F-]{0,36}$") })

// search finds what has an ID that begins with a prefix.
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
	answer := newSearched[string]()
	for _, c := range chosen {
		answer.Index = max(answer.Index, view.Index(c.index))
		if c.uuid && !partOfUUID().MatchString(asked.Prefix) {
			continue
		}
		answer.Matches[c.name], answer.Truncations[c.name] = nil, false
		if c.list == nil {
			continue
		}
		for found := range c.list(view, asked.Prefix) {
			if !r.finds(may, c, found, c.everywhere) {
				continue
			}
			if len(answer.Matches[c.name]) == maxMatches {
				answer.Truncations[c.name] = true
				break
			}
			answer.Matches[c.name] = append(answer.Matches[c.name], found.id)
		}
	}
	r.setIndex(answer.Index)
	return answer, nil
}

// finds tells whether a search in the request's namespace, or everywhere, shows
// the thing.
func (r *request) finds(may *acl.Authorizer, c searchContext, found thing, everywhere bool) bool {
	if c.sees != nil && !c.sees(may, found) {
		return false
	}
	asked := r.namespace()
	if found.namespace == "" || everywhere {
		return true
	}
	return (asked == allNamespaces || found.namespace == asked) && c.may(may, found.namespace)
}

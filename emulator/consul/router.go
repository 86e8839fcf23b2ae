package consul

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// fidelity is how far a route does what the real one does.
type fidelity int

const (
	absent fidelity = iota // not served: a 404 that is counted and logged
	partial
	faithful
)

// route is a row of the API's table. A last {name} of the path takes all that
// is left of a request's path, slashes too, and may be empty, as Consul has it.
type route struct {
	method string
	path   string
	handle func(*request) (any, error) // nil when absent
	does   fidelity
	lacks  string // what a partial route does not do, or why an absent one is
}

// router finds the route of a request.
type router struct {
	rows map[string][]pattern // by the path's second part, the most specific first
}

type pattern struct {
	parts  []string // of the path
	routes map[string]route
}

func newRouter(table []route) *router {
	r := &router{rows: map[string][]pattern{}}
	for _, row := range table {
		if row.handle == nil {
			continue
		}
		parts := strings.Split(row.path, "/")
		group := parts[2]
		i := slices.IndexFunc(r.rows[group], func(p pattern) bool { return slices.Equal(p.parts, parts) })
		if i < 0 {
			i = len(r.rows[group])
			r.rows[group] = append(r.rows[group], pattern{parts: parts, routes: map[string]route{}})
		}
		r.rows[group][i].routes[row.method] = row
	}
	for _, group := range r.rows {
		slices.SortStableFunc(group, func(a, b pattern) int { return strings.Compare(b.rank(), a.rank()) })
	}
	return r
}

// rank sorts a literal part above a name.
func (p pattern) rank() string {
	var rank strings.Builder
	for _, part := range p.parts {
		if isName(part) {
			rank.WriteByte('0')
		} else {
			rank.WriteByte('1')
		}
	}
	return rank.String()
}

// find returns the routes of a path by method, and sets the path's values on
// the request; nil when there are none.
func (r *router) find(req *http.Request) map[string]route {
	path := req.URL.EscapedPath()
	_, group, _ := strings.Cut(path[1:], "/")
	group, _, _ = strings.Cut(group, "/")
	for _, p := range r.rows[group] {
		if values, ok := p.match(path); ok {
			for name, value := range values {
				req.SetPathValue(name, value)
			}
			return p.routes
		}
	}
	return nil
}

func (p pattern) match(path string) (map[string]string, bool) {
	parts := strings.SplitN(path, "/", len(p.parts))
	if len(parts) < len(p.parts) {
		return nil, false
	}
	var values map[string]string
	for i, want := range p.parts {
		if !isName(want) {
			if parts[i] != want {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(parts[i])
		if err != nil {
			return nil, false
		}
		if values == nil {
			values = map[string]string{}
		}
		values[want[1:len(want)-1]] = value
	}
	return values, true
}

func isName(part string) bool { return strings.HasPrefix(part, "{") }

// methods are those that the routes answer, for the header Allow.
func methods(routes map[string]route) []string {
	var list []string
	for method := range routes {
		list = append(list, method)
	}
	slices.Sort(list)
	return list
}

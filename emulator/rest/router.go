// Package rest has what the HTTP APIs of the emulated programs have in common:
// tables of routes that say how far each does what the real one does, the
// finding of a request's route, and the addresses that they are served on.
package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Fidelity is how far a route does what the real one does.
type Fidelity int

// The fidelities.
const (
	Absent Fidelity = iota // not served: a 404 that is counted and logged
	Partial
	Faithful
)

func (f Fidelity) String() string { return [...]string{"absent", "partial", "faithful"}[f] }

// Route is a row of an API's table. In the path, {name} is one part, and
// {name...} any number of parts with the slashes between them.
type Route[R any] struct {
	Method string
	Path   string
	Handle func(R) (any, error) // nil when absent
	Does   Fidelity
	Lacks  string // what a partial route does not do, or why an absent one is
}

// Router finds the route of a request. It is never changed.
type Router[R any] struct {
	rows map[string][]pattern[R] // by the path's second part, the most specific first
}

type pattern[R any] struct {
	parts  []string // of the path
	routes map[string]Route[R]
}

// NewRouter makes a router of the routes that have a handler.
func NewRouter[R any](table []Route[R]) *Router[R] {
	r := &Router[R]{rows: map[string][]pattern[R]{}}
	for _, row := range table {
		if row.Handle == nil {
			continue
		}
		parts := strings.Split(row.Path, "/")
		group := groupOf(row.Path)
		i := slices.IndexFunc(r.rows[group], func(p pattern[R]) bool { return slices.Equal(p.parts, parts) })
		if i < 0 {
			i = len(r.rows[group])
			r.rows[group] = append(r.rows[group], pattern[R]{parts: parts, routes: map[string]Route[R]{}})
		}
		r.rows[group][i].routes[row.Method] = row
	}
	for _, group := range r.rows {
		slices.SortStableFunc(group, func(a, b pattern[R]) int { return strings.Compare(b.rank(), a.rank()) })
	}
	return r
}

// groupOf is the second part of a path, /v1/<group>/….
func groupOf(path string) string {
	_, group, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	group, _, _ = strings.Cut(group, "/")
	return group
}

// rank sorts more literal parts above fewer, and a literal part above a name.
func (p pattern[R]) rank() string {
	literals := 0
	var rank strings.Builder
	for _, part := range p.parts {
		switch {
		case spans(part):
			rank.WriteByte('0')
		case isName(part):
			rank.WriteByte('1')
		default:
			rank.WriteByte('2')
			literals++
		}
	}
	return string(rune('0'+literals)) + rank.String()
}

// Find returns the routes of a path by method, and sets the path's values on
// the request; nil when there are none.
func (r *Router[R]) Find(req *http.Request) map[string]Route[R] {
	path := req.URL.EscapedPath()
	parts := strings.Split(path, "/")
	for _, p := range r.rows[groupOf(path)] {
		if values, ok := p.match(parts); ok {
			for name, value := range values {
				req.SetPathValue(name, value)
			}
			return p.routes
		}
	}
	return nil
}

// match tells whether the parts of a path fit, and what its names stand for.
func (p pattern[R]) match(parts []string) (map[string]string, bool) {
	extra := len(parts) - len(p.parts)
	if extra < 0 {
		return nil, false
	}
	var values map[string]string
	at := 0
	for _, want := range p.parts {
		end := at + 1
		if spans(want) {
			end, extra = end+extra, 0
		}
		if end > len(parts) {
			return nil, false
		}
		if !isName(want) {
			if parts[at] != want {
				return nil, false
			}
			at = end
			continue
		}
		value, err := url.PathUnescape(strings.Join(parts[at:end], "/"))
		if err != nil {
			return nil, false
		}
		if values == nil {
			values = map[string]string{}
		}
		values[strings.TrimSuffix(want[1:len(want)-1], "...")] = value
		at = end
	}
	return values, at == len(parts)
}

func isName(part string) bool { return strings.HasPrefix(part, "{") }

func spans(part string) bool { return strings.HasSuffix(part, "...}") }

// Methods are those that the routes answer, for the header Allow.
func Methods[R any](routes map[string]Route[R]) []string {
	var list []string
	for method := range routes {
		list = append(list, method)
	}
	slices.Sort(list)
	return list
}

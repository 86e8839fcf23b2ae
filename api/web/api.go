package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// API is a service's API. Operations are registered with it, all below /v1/,
// and Handler serves it then.
type API struct {
	huma.API
	routes *http.ServeMux
}

// NewAPI makes an API of no operations. The tags group the operations to come.
func NewAPI(title, description string, tags ...*huma.Tag) *API {
	routes := http.NewServeMux()
	return &API{routes: routes, API: humago.New(routes, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: title, Version: "1", Description: description},
			Tags:    tags,
		},
		Formats:       huma.DefaultFormats,
		DefaultFormat: "application/json",
	})}
}

// Handler serves the API, its description at /openapi.json, /openapi.yaml and
// /docs, and the page at all other paths; without a page there is nothing. It
// is called once, when all operations are registered.
func (a *API) Handler(page http.Handler) http.Handler {
	a.routes.HandleFunc(nowhere, a.notFound)
	if page == nil {
		page = a.routes
	}
	root := http.NewServeMux()
	MountDocs(root, a.OpenAPI())
	root.Handle("/v1/", a.routes)
	root.Handle("/", page)
	return guarded(root)
}

// guarded gives all answers the strictest headers; the pages set their own policies.
func guarded(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer") // links that are secrets stay with whom they were given to
		header.Set("X-Content-Type-Options", "nosniff")
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			header.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	}
}

// nowhere is the pattern of what no operation takes.
const nowhere = "/"

// notFound answers what no operation takes.
func (a *API) notFound(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if _, pattern := a.routes.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != nowhere {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		a.writeProblem(w, huma.Error404NotFound(fmt.Sprintf("There is nothing at %.100q; /docs describes what there is.", r.URL.Path)))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.writeProblem(w, huma.Error405MethodNotAllowed(fmt.Sprintf("%.20q cannot be done here; %s can.", r.Method, strings.Join(allowed, ", "))))
}

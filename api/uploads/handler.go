package uploads

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/drydock/drydock/api/uploads/page"
	"github.com/drydock/drydock/api/web"
)

// Tags group the operations in the documentation.
const (
	tagUploads = "uploads"
	tagEvents  = "events"
)

const description = `Uploads go straight from the browser to the object store; this API signs them and tells how they go.

1. ` + "`POST /v1/uploads`" + ` with the file's name, type and size; the answer holds a signed form and a signed PUT.
2. Send the file by either of them.
3. Follow ` + "`GET /v1/events`" + `, or ask for ` + "`GET /v1/uploads/{id}`" + `, until the upload is processed or rejected.

Links are signed for a limited time: ask again rather than keep them. Problems are RFC 9457 documents.`

// Handler serves the API below /v1/, its description at /openapi.json,
// /openapi.yaml and /docs, and the page at /.
func (s *Service) Handler() http.Handler {
	routes := http.NewServeMux()
	api := humago.New(routes, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Drydock uploads", Version: "1", Description: description},
			Tags: []*huma.Tag{
				{Name: tagUploads, Description: "Sign, show, list and delete uploads."},
				{Name: tagEvents, Description: "Follow uploads as server-sent events."},
			},
		},
		Formats:       huma.DefaultFormats,
		DefaultFormat: "application/json",
	})
	api.UseMiddleware(web.WithOwner(s.owner))
	s.registerCreate(api)
	s.registerList(api)
	s.registerGet(api)
	s.registerDelete(api)
	s.registerEvents(api)

	root := http.NewServeMux()
	web.MountDocs(root, api.OpenAPI())
	root.Handle("/v1/", orProblem(api, routes))
	root.Handle("/", page.Handler())
	return guarded(root)
}

// guarded gives all answers the strictest headers; the pages set their own policies.
func guarded(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer") // signed links stay with whom they were given to
		header.Set("X-Content-Type-Options", "nosniff")
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			header.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	}
}

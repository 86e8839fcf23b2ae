package deadletters

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/drydock/drydock/api/web"
)

// Tags group the operations in the documentation.
const (
	tagLetters = "letters"
	tagMany    = "many at once"
)

const description = `A dead letter is an event that a consumer gave up, whole, with the reason why.

1. ` + "`GET /v1/deadletters/summary`" + ` counts them by stream, consumer and reason; ` + "`GET /v1/deadletters`" + ` lists them.
2. ` + "`GET /v1/deadletters/{id}`" + ` shows one with its data; ` + "`PUT /v1/deadletters/{id}/data`" + ` mends it.
3. ` + "`POST /v1/deadletters/{id}/redrive`" + ` sends the event again to the consumer that gave it up, and to no other; ` +
	"`POST /v1/deadletters/redrive`" + ` does so for all that a filter lets through, at a rate.

An event that came back three times is sent again only with ` + "`\"again\": true`" + `. Problems are RFC 9457 documents.`

// Handler serves the API below /v1/ and its documentation at /docs.
func (s *Service) Handler() http.Handler {
	routes := http.NewServeMux()
	api := humago.New(routes, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Drydock dead letters", Version: "1", Description: description},
			Tags: []*huma.Tag{
				{Name: tagLetters, Description: "Count, list, show, mend, send again and delete letters."},
				{Name: tagMany, Description: "Send again or delete all letters that a filter lets through."},
			},
		},
		Formats:       huma.DefaultFormats,
		DefaultFormat: "application/json",
	})
	s.registerList(api)
	s.registerSummary(api)
	s.registerGet(api)
	s.registerEdit(api)
	s.registerRedrive(api)
	s.registerDelete(api)
	s.registerMany(api)

	root := http.NewServeMux()
	web.MountDocs(root, api.OpenAPI())
	root.Handle("/", orProblem(api, routes))
	return guarded(api, root)
}

// guarded keeps pages of other sites from changing anything through the
// browser of somebody who can reach the API, and answers from being kept.
func guarded(api huma.API, next http.Handler) http.HandlerFunc {
	origins := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-store")
		if err := origins.Check(r); err != nil {
			writeProblem(api, w, huma.Error403Forbidden("A page of another site cannot change dead letters."))
			return
		}
		next.ServeHTTP(w, r)
	}
}

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
	api := web.NewAPI("Drydock dead letters", description,
		&huma.Tag{Name: tagLetters, Description: "Count, list, show, mend, send again and delete letters."},
		&huma.Tag{Name: tagMany, Description: "Send again or delete all letters that a filter lets through."},
	)
	api.UseMiddleware(sameSite(api))
	s.registerList(api)
	s.registerSummary(api)
	s.registerGet(api)
	s.registerEdit(api)
	s.registerRedrive(api)
	s.registerDelete(api)
	s.registerMany(api)

	return api.Handler(nil)
}

// sameSite is the middleware that keeps pages of other sites from changing
// anything through the browser of somebody who can reach the API.
func sameSite(api huma.API) func(huma.Context, func(huma.Context)) {
	origins := http.NewCrossOriginProtection()
	return func(ctx huma.Context, next func(huma.Context)) {
		request, _ := humago.Unwrap(ctx)
		if err := origins.Check(request); err != nil {
			_ = huma.WriteErr(api, ctx, http.StatusForbidden, "A page of another site cannot change dead letters.") // an error means that the client is gone
			return
		}
		next(ctx)
	}
}

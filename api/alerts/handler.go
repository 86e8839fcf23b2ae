package alerts

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/drydock/drydock/api/alerts/page"
	"github.com/drydock/drydock/api/web"
)

// Tags group the operations in the documentation.
const (
	tagRules  = "rules"
	tagAlerts = "alerts"
	tagMail   = "mail"
)

const description = `Rules wait for a price, a change or a volume, and fire alerts that go to an e-mail address or a webhook.

1. ` + "`POST /v1/alerts/dry-run`" + ` with a rule tells how often it would have fired.
2. ` + "`POST /v1/alerts`" + ` sets it. Send an ` + "`Idempotency-Key`" + ` to be safe to send it again.
3. Follow ` + "`GET /v1/alerts/events`" + ` to see what fires.

Every change of a rule arms it anew: what it has seen before counts no more. Problems are RFC 9457 documents.`

// maxBody bounds the body of a request to the API, in bytes.
const maxBody = 64 << 10

// Handler serves the API below /v1/, its description at /openapi.json,
// /openapi.yaml and /docs, and the page at /.
func (s *Service) Handler() http.Handler {
	routes := http.NewServeMux()
	api := humago.New(routes, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Drydock alerts", Version: "1", Description: description},
			Tags: []*huma.Tag{
				{Name: tagRules, Description: "Set, try, list, change and delete rules."},
				{Name: tagAlerts, Description: "Follow what the rules fire."},
				{Name: tagMail, Description: "Stop mail to an address, and let it begin again."},
			},
		},
		Formats:       huma.DefaultFormats,
		DefaultFormat: "application/json",
	})
	api.UseMiddleware(web.WithOwner(s.owner))
	s.registerCreate(api)
	s.registerList(api)
	s.registerGet(api)
	s.registerChange(api)
	s.registerDryRun(api)
	s.registerEvents(api)
	s.registerUnsubscribe(api)
	s.registerSuppressions(api)

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
		header.Set("Referrer-Policy", "no-referrer") // links to unsubscribe stay with whom they were sent to
		header.Set("X-Content-Type-Options", "nosniff")
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			header.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	}
}

package alerts

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

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
	api := web.NewAPI("Drydock alerts", description,
		&huma.Tag{Name: tagRules, Description: "Set, try, list, change and delete rules."},
		&huma.Tag{Name: tagAlerts, Description: "Follow what the rules fire."},
		&huma.Tag{Name: tagMail, Description: "Stop mail to an address, and let it begin again."},
	)
	api.UseMiddleware(web.WithOwner(s.owner))
	s.registerCreate(api)
	s.registerList(api)
	s.registerGet(api)
	s.registerChange(api)
	s.registerDryRun(api)
	s.registerEvents(api)
	s.registerUnsubscribe(api)
	s.registerSuppressions(api)

	return api.Handler(page.Handler())
}

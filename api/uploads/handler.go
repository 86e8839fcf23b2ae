package uploads

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

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
	api := web.NewAPI("Drydock uploads", description,
		&huma.Tag{Name: tagUploads, Description: "Sign, show, list and delete uploads."},
		&huma.Tag{Name: tagEvents, Description: "Follow uploads as server-sent events."},
	)
	api.UseMiddleware(web.WithOwner(s.owner))
	s.registerCreate(api)
	s.registerList(api)
	s.registerGet(api)
	s.registerDelete(api)
	s.registerEvents(api)

	return api.Handler(page.Handler())
}

package web

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/swaggest/swgui/v5emb"
)

// docsPolicy lets Swagger UI run, which styles its elements inline and draws
// icons from data: links.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed docs/index.html
var docsIndex string

//go:embed docs/start.js
var docsStart []byte

var docsPage = template.Must(template.New("docs").Parse(docsIndex))

// MountDocs serves the OpenAPI document at /openapi.json and /openapi.yaml, and
// Swagger UI on it at /docs without any other host. It returns an error for a
// document that cannot be written.
func MountDocs(mux *http.ServeMux, api *huma.OpenAPI) error {
	asJSON, err := api.MarshalJSON()
	if err != nil {
		return err
	}
	asYAML, err := api.YAML()
	if err != nil {
		return err
	}
	var index bytes.Buffer
	if err := docsPage.Execute(&index, api.Info.Title); err != nil {
		return err
	}
	mux.Handle("GET /openapi.json", constant("application/vnd.oai.openapi+json", asJSON))
	mux.Handle("GET /openapi.yaml", constant("application/vnd.oai.openapi", asYAML))
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "docs/") // relative, so that it holds behind a proxy's prefix too
		w.WriteHeader(http.StatusMovedPermanently)
	})
	mux.Handle("GET /docs/{$}", withDocsPolicy(constant("text/html; charset=utf-8", index.Bytes())))
	mux.Handle("GET /docs/start.js", constant("text/javascript; charset=utf-8", docsStart))
	mux.Handle("GET /docs/", v5emb.New(api.Info.Title, "../openapi.json", "/docs/"))
	return nil
}

func constant(contentType string, data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(data) // an error means that the client is gone
	}
}

func withDocsPolicy(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		next.ServeHTTP(w, r)
	}
}

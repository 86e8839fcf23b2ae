package alerts

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/swaggest/swgui/v5emb"
)

// docsPolicy lets Swagger UI run, which styles its elements inline and draws
// icons from data: links.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed docs
var docs embed.FS

// mountDocs serves the OpenAPI document, and Swagger UI on it without any other host.
func mountDocs(mux *http.ServeMux, api *huma.OpenAPI) error {
	asJSON, err := api.MarshalJSON()
	if err != nil {
		return err
	}
	asYAML, err := api.YAML()
	if err != nil {
		return err
	}
	pages, err := fs.Sub(docs, "docs")
	if err != nil {
		return err
	}
	mux.Handle("GET /openapi.json", constant("application/vnd.oai.openapi+json", asJSON))
	mux.Handle("GET /openapi.yaml", constant("application/vnd.oai.openapi", asYAML))
	own, swagger := http.FileServerFS(pages), v5emb.New(api.Info.Title, "../openapi.json", "/docs/")
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "docs/") // relative, so that it holds behind a proxy's prefix too
		w.WriteHeader(http.StatusMovedPermanently)
	})
	mux.Handle("GET /docs/{$}", withDocsPolicy(http.StripPrefix("/docs", own)))
	mux.Handle("GET /docs/start.js", http.StripPrefix("/docs", own))
	mux.Handle("GET /docs/", swagger)
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

package web

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"sync"

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

// MountDocs serves the OpenAPI document at /openapi.json and /openapi.yaml, and
// Swagger UI on it at /docs without any other host. They are written when they
// are first asked for, as a service starts often and is read rarely.
func MountDocs(mux *http.ServeMux, api *huma.OpenAPI) {
	mux.Handle("GET /openapi.json", written("application/vnd.oai.openapi+json", api.MarshalJSON))
	mux.Handle("GET /openapi.yaml", written("application/vnd.oai.openapi", api.YAML))
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "docs/") // relative, so that it holds behind a proxy's prefix too
		w.WriteHeader(http.StatusMovedPermanently)
	})
	mux.Handle("GET /docs/{$}", withDocsPolicy(written("text/html; charset=utf-8", func() ([]byte, error) { return docsPage(api.Info.Title) })))
	mux.Handle("GET /docs/start.js", written("text/javascript; charset=utf-8", func() ([]byte, error) { return docsStart, nil }))
	mux.Handle("GET /docs/", v5emb.New(api.Info.Title, "../openapi.json", "/docs/"))
}

func docsPage(title string) ([]byte, error) {
	page, err := template.New("docs").Parse(docsIndex)
	if err != nil {
		return nil, err
	}
	var index bytes.Buffer
	err = page.Execute(&index, title)
	return index.Bytes(), err
}

// written serves what write returns, which is called once.
func written(contentType string, write func() ([]byte, error)) http.HandlerFunc {
	once := sync.OnceValues(write)
	return func(w http.ResponseWriter, _ *http.Request) {
		data, err := once()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
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

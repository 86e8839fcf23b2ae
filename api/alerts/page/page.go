// Package page is the alerts service's web page: set rules on prices, try them
// on the past, pause and delete them, and see what fires as it does. The
// alerts API mounts it beside its own routes; the page talks to that API, on
// the same origin, and to nobody else.
//
// The page is plain HTML, CSS and ES modules, embedded as they are: what is in
// static is what the browser gets.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// policy is all that the page needs: its own files, and its own API.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed static
var static embed.FS

// types are fixed here because a machine's own table may lack or change them,
// and a browser runs a module only when its type is right.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

type asset struct {
	contentType string
	etag        string
	data        []byte
}

// Handler serves the page at / and its files at /assets/. Everything else is
// not found. Files are revalidated on every use (no-cache with an ETag), so a
// new version of the program is a new page at once.
func Handler() http.Handler {
	assets := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, ok := assets[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		header := w.Header()
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		header.Set("Cache-Control", "no-cache")
		header.Set("Content-Security-Policy", policy)
		header.Set("Content-Type", found.contentType)
		header.Set("ETag", found.etag)
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(found.data))
	})
}

// load reads the embedded files by the paths that they are served at. It
// panics on a file without a known type, which the package's test would meet.
func load() map[string]asset {
	assets := make(map[string]asset)
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		data, err := fs.ReadFile(static, "static/"+name)
		if err != nil {
			panic(err)
		}
		contentType, ok := types[path.Ext(name)]
		if !ok {
			panic(fmt.Sprintf("page: %s has no content type", name))
		}
		sum := sha256.Sum256(data)
		at := "/assets/" + name
		if name == "index.html" {
			at = "/"
		}
		assets[at] = asset{contentType: contentType, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, data: data}
	}
	return assets
}

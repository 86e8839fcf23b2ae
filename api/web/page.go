package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// types are fixed here because a machine's own table may lack or change them,
// and a browser runs a module only when its type is right.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// File is one of a page, ready to be served.
type File struct {
	ContentType string
	etag        string
	Data        []byte
}

// Page serves a page at / and its files at /assets/, under a content security
// policy. Everything else is not found. Files are revalidated on every use
// (no-cache with an ETag), so a new version of the program is a new page at once.
func Page(files map[string]File, policy string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, ok := files[r.URL.Path]
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
		header.Set("Content-Type", found.ContentType)
		header.Set("ETag", found.etag)
		header.Set("Referrer-Policy", "no-referrer") // links that are secrets stay with the page
		header.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(found.Data))
	})
}

// Load reads a page's embedded folder "static" by the paths that its files are
// served at: index.html is the page itself. It panics on a file without a known
// type, which any test of the page would meet.
func Load(static fs.FS) map[string]File {
	files := make(map[string]File)
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
			panic(fmt.Sprintf("web: %s has no content type", name))
		}
		sum := sha256.Sum256(data)
		at := "/assets/" + name
		if name == "index.html" {
			at = "/"
		}
		files[at] = File{ContentType: contentType, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, Data: data}
	}
	return files
}

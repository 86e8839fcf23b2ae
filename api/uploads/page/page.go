// Package page is the uploads service's web page: drop pictures, watch each
// one travel, see its variants appear. The uploads API mounts it beside its
// own routes; the page talks to that API, on the same origin, and to the
// object store, and to nobody else.
//
// The page is plain HTML, CSS and ES modules, embedded as they are: what is in
// static is what the browser gets.
package page

import (
	"embed"
	"net/http"

	"github.com/drydock/drydock/api/web"
)

// policy is all that the page needs: its own files, pictures and uploads to an
// object store whose address is only known at run time, and blob: for pictures
// that never left the browser.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self' http: https: blob: data:; connect-src 'self' http: https:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed static
var static embed.FS

// Handler serves the page at / and its files at /assets/.
func Handler() http.Handler { return web.Page(web.Load(static), policy) }

// Package page is the alerts service's web page: set rules on prices, try them
// on the past, pause and delete them, and see what fires as it does. The
// alerts API mounts it beside its own routes; the page talks to that API, on
// the same origin, and to nobody else.
//
// The page is plain HTML, CSS and ES modules, embedded as they are: what is in
// static is what the browser gets.
package page

import (
	"embed"
	"net/http"

	"github.com/drydock/drydock/api/web"
)

// policy is all that the page needs: its own files, and its own API.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed static
var static embed.FS

// Handler serves the page at / and its files at /assets/.
func Handler() http.Handler { return web.Page(web.Load(static), policy) }

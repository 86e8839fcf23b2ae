package nomad

import (
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/rest"
)

// ServeHTTP answers a request of the API.
func (r *region) ServeHTTP(w http.ResponseWriter, incoming *http.Request) {
	w.Header().Set("Vary", "Accept-Encoding, Origin")
	escaped := incoming.URL.EscapedPath()
	if clean := cleanPath(escaped); clean != escaped {
		if incoming.URL.RawQuery != "" {
			clean += "?" + incoming.URL.RawQuery
		}
		http.Redirect(w, incoming, clean, http.StatusTemporaryRedirect)
		return
	}
	routes := r.nomad.router.Find(incoming)
	if routes == nil {
		r.unknown(w, incoming)
		return
	}
	method := incoming.Method
	switch method {
	case http.MethodHead:
		method = http.MethodGet
	case http.MethodPost: // the API takes either for what changes something
		if _, ok := routes[method]; !ok {
			method = http.MethodPut
		}
	}
	found, ok := routes[method]
	if !ok {
		otherMethod(w, incoming, routes)
		return
	}
	r.countRequest(method)
	defer r.finished(incoming, found, time.Now())
	req, err := newRequest(r, w, incoming)
	var answer any
	if err == nil {
		answer, err = found.Handle(req)
	}
	if err != nil {
		r.failed(incoming, err)
		writeError(w, err)
		return
	}
	req.respond(w, answer)
}

// cleanPath is the escaped path without empty parts and dots, for which the
// client has to ask.
func cleanPath(asked string) string {
	clean := path.Clean("/" + asked)
	if clean != "/" && strings.HasSuffix(asked, "/") {
		clean += "/"
	}
	return clean
}

func (r *region) unknown(w http.ResponseWriter, incoming *http.Request) {
	count := r.nomad.unknown.Add(incoming.Method + " " + incoming.URL.Path)
	r.nomad.log.Warn("a request has no route", "method", incoming.Method, "path", incoming.URL.Path, "count", count)
	w.WriteHeader(http.StatusNotFound)
}

// finished measures and logs a request that the route has answered.
func (r *region) finished(incoming *http.Request, found route, began time.Time) {
	r.measureRequest(found, began)
	r.nomad.log.Debug("request complete", logs.Module("http"),
		"method", incoming.Method, "path", incoming.URL.RequestURI(), "duration", time.Since(began))
}

// failed logs what was not the client's fault.
func (r *region) failed(incoming *http.Request, err error) {
	if statusOf(err) == http.StatusInternalServerError && incoming.Context().Err() == nil {
		r.nomad.log.Error("request failed", "method", incoming.Method, "path", incoming.URL.Path, "error", err)
	}
}

// otherMethod refuses a method that the path does not have.
func otherMethod(w http.ResponseWriter, r *http.Request, routes map[string]route) {
	w.Header().Set("Allow", strings.Join(rest.Methods(routes), ", "))
	if r.Method == http.MethodOptions {
		return
	}
	writeError(w, fail(http.StatusMethodNotAllowed, "Invalid method"))
}

// writeError answers with the error's text, as Nomad does.
func writeError(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(statusOf(err))
	w.Write([]byte(err.Error()))
}

// text is an answer that is written as it is.
type text []byte

// streamed is the answer of a handler that writes the response itself.
type streamed func(http.ResponseWriter)

// respond writes a handler's answer: as JSON unless it is a text or streamed; nil is an empty body.
func (r *request) respond(w http.ResponseWriter, answer any) {
	switch answer := answer.(type) {
	case nil:
	case text:
		w.Write(answer)
	case streamed:
		answer(w)
	default:
		r.respondJSON(w, answer)
	}
}

func (r *request) respondJSON(w http.ResponseWriter, answer any) {
	var body []byte
	var err error
	if r.has("pretty") {
		if body, err = json.MarshalIndent(answer, "", "    "); err == nil {
			body = append(body, '\n')
		}
	} else {
		body, err = json.Marshal(answer)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

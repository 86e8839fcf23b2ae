package consul

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator/rest"
)

// ServeHTTP answers a request of the API.
func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept-Encoding")
	w.Header().Set("X-Consul-Default-Acl-Policy", a.dc.consul.options.ACL.defaultPolicy())
	routes := a.dc.consul.router.Find(r)
	if routes == nil {
		a.unknown(w, r)
		return
	}
	found, ok := routes[r.Method]
	if !ok && r.Method == http.MethodHead {
		found, ok = routes[http.MethodGet]
	}
	if !ok {
		otherMethod(w, r, routes)
		return
	}
	defer a.finished(r, found.Path, time.Now())
	req := newRequest(a, w, r)
	err := req.chooseDatacenter(found.Path)
	var answer any
	if err == nil {
		answer, err = found.Handle(req)
	}
	if err != nil {
		err = req.forwarded(err)
		a.failed(r, err)
		writeError(w, err)
		return
	}
	req.respond(w, answer)
}

func (o ACL) defaultPolicy() string {
	if !o.Enabled || o.Allow {
		return "allow"
	}
	return "deny"
}

func (a *agent) unknown(w http.ResponseWriter, r *http.Request) {
	count := a.dc.consul.unknown.Add(r.Method + " " + r.URL.Path)
	a.dc.consul.log.Warn("a request has no route", "method", r.Method, "path", r.URL.Path, "count", count)
	http.Error(w, "Invalid URL path: not a recognized HTTP API endpoint", http.StatusNotFound)
}

// otherMethod answers OPTIONS, and refuses a method that the path does not have.
func otherMethod(w http.ResponseWriter, r *http.Request, routes map[string]route) {
	w.Header().Set("Allow", strings.Join(append(rest.Methods(routes), http.MethodOptions), ","))
	if r.Method != http.MethodOptions {
		w.WriteHeader(http.StatusMethodNotAllowed)
		w.Write([]byte("method " + r.Method + " not allowed"))
	}
}

// writeError answers with the error's text, as Consul does.
func writeError(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(statusOf(err))
	w.Write([]byte(err.Error()))
}

// text is an answer that is written as it is.
type text []byte

// withStatus is an answer that is written as JSON, with a status other than 200.
type withStatus struct {
	status int
	answer any
}

// streamed is the answer of a handler that writes the response itself.
type streamed func(http.ResponseWriter)

// respond writes a handler's answer: as JSON unless it is a text or streamed; nil is an empty body.
func (r *request) respond(w http.ResponseWriter, answer any) {
	switch answer := answer.(type) {
	case nil:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	case text:
		w.Write(answer)
	case streamed:
		answer(w)
	case withStatus:
		r.respondJSON(w, answer.status, answer.answer)
	default:
		r.respondJSON(w, http.StatusOK, answer)
	}
}

func (r *request) respondJSON(w http.ResponseWriter, status int, answer any) {
	var body []byte
	var err error
	if r.has("pretty") || r.agent.options.Pretty {
		if body, err = json.MarshalIndent(answer, "", "    "); err == nil && r.has("pretty") {
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
	w.WriteHeader(status)
	w.Write(body)
}

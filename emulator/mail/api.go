package mail

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
	maxFault     = 4 << 10 // bytes of a request that sets a fault
	heartbeat    = 15 * time.Second
)

const (
	// pagePolicy is all that the page needs: its own files, and the mail's HTML in a frame.
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	// mailPolicy lets a mail look as it was meant to, and nothing else: no
	// scripts, no forms, nothing from the network, which would tell its sender.
	mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

//go:embed page
var page embed.FS

// Handler answers for the inbox's page and its API:
//
//	GET    /v1/messages            newest first; ?to=, ?subject=, ?limit=
//	DELETE /v1/messages            removes all
//	GET    /v1/messages/{id}       with its parts
//	DELETE /v1/messages/{id}
//	GET    /v1/messages/{id}/raw   as it came
//	GET    /v1/messages/{id}/html  for a frame
//	GET    /v1/events              server-sent events "message" and "removed"
//	GET    /v1/faults, PUT, DELETE
//	GET    /health
func (m *Mail) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/messages", m.listMessages)
	mux.HandleFunc("DELETE /v1/messages", func(w http.ResponseWriter, _ *http.Request) {
		answerEmpty(w, m.store.remove(""))
	})
	mux.HandleFunc("GET /v1/messages/{id}", m.getMessage)
	mux.HandleFunc("DELETE /v1/messages/{id}", func(w http.ResponseWriter, r *http.Request) {
		answerEmpty(w, m.store.remove(r.PathValue("id")))
	})
	mux.HandleFunc("GET /v1/messages/{id}/raw", m.getRaw)
	mux.HandleFunc("GET /v1/messages/{id}/html", m.getHTML)
	mux.HandleFunc("GET /v1/events", m.events)
	mux.HandleFunc("GET /v1/faults", func(w http.ResponseWriter, _ *http.Request) { answer(w, m.faults.list()) })
	mux.HandleFunc("PUT /v1/faults", m.putFault)
	mux.HandleFunc("DELETE /v1/faults", func(w http.ResponseWriter, _ *http.Request) {
		m.ClearFaults()
		answerEmpty(w, nil)
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	for path, file := range map[string][2]string{
		"GET /{$}":             {"page/index.html", "text/html; charset=utf-8"},
		"GET /assets/page.css": {"page/page.css", "text/css; charset=utf-8"},
		"GET /assets/page.js":  {"page/page.js", "text/javascript; charset=utf-8"},
		"GET /assets/mark.svg": {"page/mark.svg", "image/svg+xml"},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", file[1])
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("Content-Security-Policy", pagePolicy)
			http.ServeFileFS(w, r, page, file[0])
		})
	}
	// Pages of other origins may neither remove mails nor set faults.
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	}))
}

func (m *Mail) listMessages(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit := defaultLimit
	if given := query.Get("limit"); given != "" {
		var err error
		if limit, err = strconv.Atoi(given); err != nil || limit < 1 || limit > maxLimit {
			problem(w, http.StatusUnprocessableEntity, fmt.Sprintf("limit %.20q is not 1 to %d", given, maxLimit))
			return
		}
	}
	to, subject := query.Get("to"), strings.ToLower(query.Get("subject"))
	answer(w, m.store.list(func(message Message) bool {
		return (to == "" || message.isFor(to)) && strings.Contains(strings.ToLower(message.Subject), subject)
	}, limit))
}

func (m Message) isFor(address string) bool {
	for _, to := range m.Recipients {
		if strings.EqualFold(to, address) {
			return true
		}
	}
	return false
}

func (m *Mail) getMessage(w http.ResponseWriter, r *http.Request) {
	if message, ok := m.read(w, r); ok {
		answer(w, message)
	}
}

// read returns the mail that the path names with all of its parts, or answers
// that there is none.
func (m *Mail) read(w http.ResponseWriter, r *http.Request) (Message, bool) {
	id := r.PathValue("id")
	message, err := m.store.get(id)
	var raw []byte
	if err == nil {
		raw, err = m.store.raw(id)
	}
	if err != nil {
		failed(w, err)
		return Message{}, false
	}
	return message.read(raw), true
}

func (m *Mail) getRaw(w http.ResponseWriter, r *http.Request) {
	raw, err := m.store.raw(r.PathValue("id"))
	if err != nil {
		failed(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Write(raw) // an error means that the client is gone
}

func (m *Mail) getHTML(w http.ResponseWriter, r *http.Request) {
	if message, ok := m.read(w, r); ok {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", mailPolicy)
		io.WriteString(w, message.HTML) // an error means that the client is gone
	}
}

// events streams what happens in the inbox until the client goes.
func (m *Mail) events(w http.ResponseWriter, r *http.Request) {
	notices, stop := m.store.follow()
	defer stop()
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	text := "retry: 1000\n\n"
	for {
		if _, err := io.WriteString(w, text); err != nil || control.Flush() != nil {
			return
		}
		select {
		case n, open := <-notices:
			if !open {
				return
			}
			data, err := json.Marshal(n.data)
			if err != nil {
				return
			}
			text = fmt.Sprintf("event: %s\ndata: %s\n\n", n.kind, data)
		case <-beat.C:
			text = ": still here\n\n"
		case <-r.Context().Done():
			return
		}
	}
}

func (m *Mail) putFault(w http.ResponseWriter, r *http.Request) {
	var fault Fault
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFault))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&fault); err != nil {
		problem(w, http.StatusBadRequest, "the body is not a fault: "+err.Error())
		return
	}
	if err := m.SetFault(fault); err != nil {
		problem(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	answer(w, m.faults.list())
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(body) // an error means that the client is gone
}

func answerEmpty(w http.ResponseWriter, err error) {
	if err != nil {
		failed(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func failed(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, errNotFound) {
		status = http.StatusNotFound
	}
	problem(w, status, err.Error())
}

// problem answers as RFC 9457 says.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}

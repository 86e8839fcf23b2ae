package consul

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// finished measures and logs a request that the route with the path has answered.
func (a *agent) finished(r *http.Request, path string, began time.Time) {
	took := time.Since(began)
	a.requests.Measure("consul.api.http", map[string]string{"method": r.Method, "path": sampleName(path)}, took)
	if a.httpLog.Enabled(r.Context(), slog.LevelDebug) {
		a.httpLog.Debug("Request finished", "method", r.Method, "url", withoutToken(r.URL), "from", r.RemoteAddr, "latency", took)
	}
}

// sampleName is a route's path as metrics have it: without what varies.
func sampleName(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = ""
		}
	}
	return strings.Join(parts, "_")
}

// failed logs a request that is answered with an error: as an error when it is
// not the client's, and somebody waits for the answer.
func (a *agent) failed(r *http.Request, err error) {
	level := slog.LevelDebug
	if statusOf(err) >= http.StatusInternalServerError && r.Context().Err() == nil {
		level = slog.LevelError
	}
	a.httpLog.Log(r.Context(), level, "Request error", "method", r.Method, "url", withoutToken(r.URL), "from", r.RemoteAddr, "error", err)
}

// withoutToken is a request's URL as it may be logged.
func withoutToken(u *url.URL) string {
	if !strings.Contains(u.RawQuery, "token=") {
		return u.RequestURI()
	}
	hidden := *u
	query := hidden.Query()
	query.Set("token", "<hidden>")
	hidden.RawQuery = query.Encode()
	return hidden.RequestURI()
}

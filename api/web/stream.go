package web

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
)

// Heartbeat is the event that there is none: it opens every stream and keeps
// proxies from closing it.
type Heartbeat struct {
	Time time.Time `json:"time" doc:"The server's time."`
}

const (
	// HeartbeatEvery is the time between two heartbeats.
	HeartbeatEvery = 15 * time.Second
	// ReconnectAfter is what browsers are told, in milliseconds.
	ReconnectAfter = 2000
)

// Streamed is the middleware of streams of server-sent events: it counts those
// that are open, keeps proxies from buffering them, and takes back the write
// deadline that huma leaves on the connection.
func Streamed(open prometheus.Gauge) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		ctx.SetHeader("Cache-Control", "no-cache")
		ctx.SetHeader("X-Accel-Buffering", "no")
		if ctx.Method() == http.MethodHead {
			ctx.SetHeader("Content-Type", "text/event-stream")
			return
		}
		open.Inc()
		defer open.Dec()
		next(ctx)
		_, w := humago.Unwrap(ctx)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a connection that has none needs none
	}
}

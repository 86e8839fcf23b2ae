// Package role is what every role has in common, whether it is the program
// drydock or drydock-images that runs it: it logs JSON, answers for its health
// and metrics, serves and works until it is told to stop, and then drains.
package role

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// VariableListen is the environment variable that holds the address a role
// listens on, host:port.
const VariableListen = "DRYDOCK_LISTEN"

const (
	headerWait = 10 * time.Second // for a request's header to come
	idleWait   = 2 * time.Minute  // for the next request on a connection
	readyWait  = 2 * time.Second  // for the dependencies to answer a health check
)

// Options describe a role. Name and Listen must be given.
type Options struct {
	Name   string
	Listen string // host:port; port 0 picks a free one
	// Handler answers every request except those under /health/ and /metrics; nil for none.
	Handler http.Handler
	// Ready returns nil while what the role depends on can be reached.
	Ready func(context.Context) error
	// Work goes on until its context ends; it drains before it returns. Its
	// error ends the role. Nil for none.
	Work func(context.Context) error
	// Drain bounds the time that the requests under way and the work, which has
	// the same bound of its own, may take after the stop.
	Drain    time.Duration
	Registry *prometheus.Registry
	Logger   *slog.Logger
}

// Logger logs JSON lines that carry the role's name.
func Logger(out io.Writer, name string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, nil)).With("role", name)
}

// Registry holds the process's own metrics to begin with.
func Registry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// Signals is a context that ends at SIGINT or SIGTERM; a second one ends the program at once.
func Signals(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// Run listens, serves and works until the context ends, then drains: the role
// says that it is not ready any more, takes no new requests, lets those under
// way and the work finish, and returns nil. It returns an error when it cannot
// listen or when the work fails.
//
//	/health/live   200 while the process can answer
//	/health/ready  200 while the role can do its work, else 503 with the reason
//	/metrics       Prometheus
func Run(ctx context.Context, o Options) error {
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("run role %s: %s=%s: %w", o.Name, VariableListen, o.Listen, err)
	}
	var draining atomic.Bool
	requests, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	server := &http.Server{
		Handler:           o.routes(&draining),
		ReadHeaderTimeout: headerWait,
		IdleTimeout:       idleWait,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served, worked := make(chan error, 1), make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	go func() {
		if o.Work == nil {
			<-ctx.Done()
			worked <- nil
			return
		}
		worked <- o.Work(ctx)
	}()
	o.Logger.Info("started", "address", listener.Addr().String(), "version", Version())

	var failed error
	finished := false
	select {
	case <-ctx.Done():
	case failed = <-served:
	case failed = <-worked:
		finished = true
	}
	o.Logger.Info("stopping")
	draining.Store(true)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Drain)
	defer cancel()
	stop()
	if !finished {
		failed = errors.Join(failed, <-worked)
	}
	// Streams of events have no end of their own; the others may finish.
	streams := time.AfterFunc(streamGrace, end)
	defer streams.Stop()
	if err := server.Shutdown(closing); err != nil {
		server.Close()
	}
	if failed != nil && !errors.Is(failed, http.ErrServerClosed) {
		return fmt.Errorf("run role %s: %w", o.Name, failed)
	}
	o.Logger.Info("stopped")
	return nil
}

// streamGrace is how long plain requests have to finish before the context of
// all requests ends, which is what ends a stream.
const streamGrace = 250 * time.Millisecond

func (o Options) routes(draining *atomic.Bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "live")
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyWait)
		defer cancel()
		switch err := o.Ready(ctx); {
		case draining.Load():
			http.Error(w, "draining", http.StatusServiceUnavailable)
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		default:
			fmt.Fprintln(w, "ready")
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{}))
	if o.Handler != nil {
		mux.Handle("/", o.Handler)
	}
	return mux
}

// AllReady is ready when all of its parts are.
func AllReady(parts ...interface{ Ready(context.Context) error }) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, part := range parts {
			if err := part.Ready(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// Begun is a part that AllReady waits for: it is ready once it is told that it
// has begun. The zero value has not.
type Begun struct{ begun atomic.Bool }

// Begin tells it.
func (b *Begun) Begin() { b.begun.Store(true) }

// Ready returns nil once it has begun.
func (b *Begun) Ready(context.Context) error {
	if !b.begun.Load() {
		return errors.New("the work has not begun yet")
	}
	return nil
}

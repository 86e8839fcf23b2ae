package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	headerWait = 10 * time.Second
	idleWait   = 2 * time.Minute
)

// Listener serves an API on an address.
type Listener struct {
	url     string
	socket  net.Listener
	server  *http.Server
	serving bool
	ended   chan struct{}
	cancel  context.CancelFunc // of the requests under way
}

// Listen takes the address, host:port or unix:///path: it is known when it returns, and nobody is
// answered before Serve. Secure is nil for plain HTTP.
func Listen(address string, secure *tls.Config, handler http.Handler, log *slog.Logger) (*Listener, error) {
	socket, err := bind(address)
	if err != nil {
		return nil, err
	}
	l := &Listener{url: "http://" + socket.Addr().String(), socket: socket, ended: make(chan struct{})}
	switch {
	case socket.Addr().Network() == "unix":
		l.url = address
	case secure != nil:
		l.url = "https://" + socket.Addr().String()
	}
	var requests context.Context
	requests, l.cancel = context.WithCancel(context.Background())
	l.server = &http.Server{
		Handler:           handler,
		TLSConfig:         secure,
		ReadHeaderTimeout: headerWait,
		IdleTimeout:       idleWait,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return l, nil
}

// URL is where the API answers.
func (l *Listener) URL() string { return l.url }

// Address is what it listens on, host:port or a path.
func (l *Listener) Address() string { return l.socket.Addr().String() }

// Serve answers requests from now on.
func (l *Listener) Serve() {
	l.serving = true
	go func() {
		defer close(l.ended)
		if l.server.TLSConfig != nil {
			l.server.ServeTLS(l.socket, "", "")
		} else {
			l.server.Serve(l.socket)
		}
	}()
}

// bind takes the address, host:port or unix:///path. A socket that nobody
// serves any more is replaced.
func bind(address string) (net.Listener, error) {
	path, isSocket := strings.CutPrefix(address, "unix://")
	if !isSocket {
		socket, err := net.Listen("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("listen for the HTTP API: %w", err)
		}
		return socket, nil
	}
	if connection, err := net.Dial("unix", path); err == nil {
		connection.Close()
		return nil, fmt.Errorf("listen for the HTTP API: another program serves %s", address)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen for the HTTP API: %w", err)
	}
	socket, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for the HTTP API: %w", err)
	}
	return socket, nil
}

// Close ends the requests under way, blocking ones among them, and waits for them for a moment.
func (l *Listener) Close() error {
	const wait = time.Second
	l.cancel()
	if !l.serving {
		return l.socket.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	err := l.server.Shutdown(ctx)
	if err != nil {
		err = l.server.Close()
	}
	<-l.ended
	return err
}

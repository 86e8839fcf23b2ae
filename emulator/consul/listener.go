package consul

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	headerWait = 10 * time.Second
	idleWait   = 2 * time.Minute
)

// listener serves an agent's API on an address.
type listener struct {
	url    string
	server *http.Server
	ended  chan struct{}
	cancel context.CancelFunc // of the requests under way
}

// listen binds first, so that the address is known when it returns.
func listen(address string, handler http.Handler, log *slog.Logger) (*listener, error) {
	network, at := "tcp", address
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		network, at = "unix", path
	}
	socket, err := net.Listen(network, at)
	if err != nil {
		return nil, fmt.Errorf("listen for the HTTP API: %w", err)
	}
	l := &listener{url: "http://" + socket.Addr().String(), ended: make(chan struct{})}
	if network == "unix" {
		l.url = address
	}
	var requests context.Context
	requests, l.cancel = context.WithCancel(context.Background())
	l.server = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerWait,
		IdleTimeout:       idleWait,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() {
		defer close(l.ended)
		l.server.Serve(socket)
	}()
	return l, nil
}

// close ends the requests under way, blocking ones among them, and waits for them for a moment.
func (l *listener) close() error {
	const wait = time.Second
	l.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	err := l.server.Shutdown(ctx)
	if err != nil {
		err = l.server.Close()
	}
	<-l.ended
	return err
}

package client

import (
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
)

// socketName is the file in the folder of secrets at which a task reaches the
// HTTP API, with a token as anybody else.
const socketName = "api.sock"

// openSocket lets a task that sees an identity reach the HTTP API. Where the
// path is too long for a socket the task goes without.
func (t *taskRunner) openSocket() {
	if t.socket != nil || !t.identities.exposed(t.spec()) {
		return
	}
	target, err := url.Parse(t.alloc.node.options.Server.URL())
	if err != nil || target.Host == "" {
		return
	}
	path := filepath.Join(t.dir.Secrets(), socketName)
	_ = os.Remove(path) // of an earlier life of the node
	listener, err := net.Listen("unix", path)
	if err == nil {
		err = os.Chmod(path, 0o666) // whoever the task runs as
	}
	if err != nil {
		t.alloc.node.log.Debug("task has no socket to the API", "task", t.spec().Name, "error", err)
		return
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	t.socket = &http.Server{Handler: proxy}
	seen := filepath.Join(t.paths().secrets, socketName)
	t.identities.show("NOMAD_UNIX_ADDR", "unix://"+seen)
	server := t.socket
	t.alloc.spawn(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			t.alloc.node.log.Warn("socket to the API has failed", "task", t.spec().Name, "error", err)
		}
	})
}

// closeSocket ends what openSocket has begun.
func (t *taskRunner) closeSocket() {
	if t.socket != nil {
		t.socket.Close()
		t.socket = nil
	}
}

package nats_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// relay stands between clients and a server, and loses what it is told to.
type relay struct {
	url    string
	server string
	lose   atomic.Pointer[loss] // what to do with the next request; nil: hand it on

	mu    sync.Mutex
	open  map[net.Conn]bool
	ended bool
}

// loss is one request that never gets to the server.
type loss struct {
	word []byte        // that the request has
	hang bool          // keep the connection, on which nothing comes any more; else it is cut
	lost chan struct{} // closed when it has happened
}

// startRelay begins a relay to the server of that URL, until the test ends.
func startRelay(t *testing.T, server string) *relay {
	t.Helper()
	address, err := url.Parse(server)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{url: "nats://" + listener.Addr().String(), server: address.Host, open: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { r.serve(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		r.end()
		serving.Wait()
	})
	return r
}

// loseNext loses the next request with that word in it. The channel is closed then.
func (r *relay) loseNext(word string, hang bool) <-chan struct{} {
	l := &loss{word: []byte(word), hang: hang, lost: make(chan struct{})}
	r.lose.Store(l)
	return l.lost
}

// serve hands on what is said on one connection until a side closes it.
func (r *relay) serve(client net.Conn) {
	server, err := net.Dial("tcp", r.server)
	if err != nil {
		client.Close()
		return
	}
	if !r.keep(client, server) {
		return
	}
	var silent atomic.Bool
	var both sync.WaitGroup
	both.Go(func() {
		defer r.drop(client, server)
		pass(server, client, func(said []byte) bool {
			l := r.lose.Load()
			if l != nil && bytes.Contains(said, l.word) && r.lose.CompareAndSwap(l, nil) {
				defer close(l.lost)
				silent.Store(true)
				return l.hang
			}
			return true
		}, &silent)
	})
	both.Go(func() {
		defer r.drop(client, server)
		pass(client, server, func([]byte) bool { return true }, &silent)
	})
	both.Wait()
}

// pass hands on what comes, unless the connection is silent, while it may.
func pass(to, from net.Conn, may func([]byte) bool, silent *atomic.Bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || !may(buffer[:n]) {
			return
		}
		if !silent.Load() {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
}

// keep remembers connections for the end; it is false, and they are closed, when that has come.
func (r *relay) keep(connections ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, connection := range connections {
		r.open[connection] = true
		if r.ended {
			connection.Close()
		}
	}
	return !r.ended
}

func (r *relay) drop(connections ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, connection := range connections {
		connection.Close()
		delete(r.open, connection)
	}
}

func (r *relay) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	for connection := range r.open {
		connection.Close()
	}
}

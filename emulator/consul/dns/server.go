package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"github.com/miekg/dns"
)

// bindAttempts is how often a free port is looked for: the one that TCP gets may be another program's with UDP.
const bindAttempts = 10

// Options configure a Server.
type Options struct {
	// Address is host:port; port 0 takes a free one. An empty Address is 127.0.0.1:0.
	Address string
	// Source gives the answers; needed.
	Source Source
	// Truncate marks an answer over UDP that leaves records out, so that clients ask again over TCP: enable_truncate in
	// Consul's dns_config, where it is off by default.
	Truncate bool
	// Logger is told of sources that fail; slog.Default when nil.
	Logger *slog.Logger
}

// Server answers until it is closed.
type Server struct {
	address netip.AddrPort
	servers []*dns.Server
	serving sync.WaitGroup
	close   func() error
}

// Start binds the address with UDP and TCP, and serves.
func Start(o Options) (*Server, error) {
	listener, conn, err := bind(cmp.Or(o.Address, "127.0.0.1:0"))
	if err != nil {
		return nil, fmt.Errorf("start DNS: %w", err)
	}
	h := &handler{source: o.Source, truncate: o.Truncate, log: cmp.Or(o.Logger, slog.Default())}
	s := &Server{
		address: netip.MustParseAddrPort(listener.Addr().String()),
		servers: []*dns.Server{{Listener: listener, Handler: h}, {PacketConn: conn, Handler: h}},
	}
	s.close = sync.OnceValue(s.shutdown)
	for _, server := range s.servers {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		s.serving.Go(func() { _ = server.ActivateAndServe() }) // ends with Shutdown alone
		<-started
	}
	return s, nil
}

// Addr is where the server listens, with UDP and TCP.
func (s *Server) Addr() netip.AddrPort { return s.address }

// Close stops the server, and returns once all that it was answering is answered. It may be called twice.
func (s *Server) Close() error { return s.close() }

func (s *Server) shutdown() error {
	var all error
	for _, server := range s.servers {
		all = errors.Join(all, server.ShutdownContext(context.Background()))
	}
	s.serving.Wait()
	return all
}

// bind opens one port with TCP and UDP.
func bind(address string) (net.Listener, net.PacketConn, error) {
	for attempt := 1; ; attempt++ {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return nil, nil, err
		}
		conn, err := net.ListenPacket("udp", listener.Addr().String())
		if err == nil {
			return listener, conn, nil
		}
		listener.Close()
		if _, port, _ := net.SplitHostPort(address); port != "0" || attempt == bindAttempts {
			return nil, nil, err
		}
	}
}

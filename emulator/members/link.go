package members

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

// sendWait bounds how long sending to another process may take.
const sendWait = 5 * time.Second

// link is a connection to the pool of another process. Both send lists of
// records as JSON: first all that they know, then what changes.
type link struct {
	connection net.Conn
	names      map[string]bool // of the other process's own members; the pool's lock guards it
	ended      chan struct{}   // closed when the other process has ended it too
}

// message is what goes over a link.
type message struct {
	Own     []string `json:",omitempty"` // names of the sender's own members
	Records []record
}

// Listen lets other processes join at the address, host:port.
func (p *Pool) Listen(address string) (net.Addr, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for other agents: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners = append(p.listeners, listener)
	p.links.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // closed
			}
			p.connect(connection)
		}
	})
	return listener.Addr(), nil
}

// Join joins the pool that listens at the address, host:port. When it returns,
// each of the two knows what the other one knew.
func (p *Pool) Join(ctx context.Context, address string) error {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("join %s: %w", address, err)
	}
	met := p.connect(connection)
	select {
	case <-met:
		return nil
	case <-ctx.Done():
		connection.Close()
		return fmt.Errorf("join %s: %w", address, ctx.Err())
	}
}

// connect greets the other process and reads from it until the link breaks.
// The channel is closed when it has greeted too.
func (p *Pool) connect(connection net.Conn) (met <-chan struct{}) {
	l := &link{connection: connection, names: map[string]bool{}, ended: make(chan struct{})}
	greeted := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		connection.Close()
		return greeted
	}
	p.peers[l] = true
	hello := message{Records: p.all()}
	for _, r := range hello.Records {
		if r.own {
			hello.Own = append(hello.Own, r.Member.Name)
		}
	}
	l.write(hello)
	p.links.Go(func() { p.follow(l, greeted) })
	return greeted
}

// follow learns from a link until it breaks: who was behind it has failed then,
// unless it has left.
func (p *Pool) follow(l *link, greeted chan struct{}) {
	messages := json.NewDecoder(l.connection)
	for first := true; ; first = false {
		var m message
		if err := messages.Decode(&m); err != nil {
			break
		}
		p.mu.Lock()
		for _, name := range m.Own {
			l.names[name] = true
		}
		p.learn(l, m.Records)
		p.mu.Unlock()
		if first {
			close(greeted)
		}
	}
	l.connection.Close()
	close(l.ended)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.peers, l)
	if p.closed {
		return
	}
	for name := range l.names {
		if r := p.records[name]; r.Member.Status == Alive && !r.own {
			p.mark(r, Failed)
		}
	}
}

func (l *link) send(list []record) { l.write(message{Records: list}) }

// write sends a message; a link that takes none is broken off.
func (l *link) write(m message) {
	l.connection.SetWriteDeadline(time.Now().Add(sendWait))
	if err := json.NewEncoder(l.connection).Encode(m); err != nil {
		l.connection.Close()
	}
}

// finish says that nothing is sent any more. The other process ends the link
// when it has read all.
func (l *link) finish() {
	if half, ok := l.connection.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	l.connection.Close()
}

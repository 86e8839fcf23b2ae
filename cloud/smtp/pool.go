package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	client "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

const (
	// keepIdle is how long a connection that nobody uses is kept. Servers keep
	// theirs for minutes.
	keepIdle = 30 * time.Second
	// maxMails is how many mails go over one connection; servers commonly end
	// one after a hundred.
	maxMails = 100
	// maxAnswers is how many bytes a server may say while it takes one mail.
	maxAnswers = 1 << 20
	// quitWait is for the server's good-bye, which nobody needs.
	quitWait = time.Second
)

var errClosed = errors.New("the mailer is closed")

// pool keeps the connections that are not in use.
type pool struct {
	server server

	mu     sync.Mutex
	idle   []*connection // the one used last is the last
	closed bool
}

// connection is one connection to the server, used by one at a time.
type connection struct {
	server *server
	raw    *bounded
	smtp   *smtp.Client
	mails  int
	broken bool
	expiry *time.Timer // set while it is idle
}

func newPool(s server) *pool { return &pool{server: s} }

// get returns a connection that has just answered.
func (p *pool) get(ctx context.Context) (*connection, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, errClosed
		}
		var c *connection
		if last := len(p.idle) - 1; last >= 0 {
			c = p.idle[last]
			p.idle = p.idle[:last]
		}
		p.mu.Unlock()
		if c == nil {
			return dial(ctx, &p.server)
		}
		c.expiry.Stop()
		if c.do(ctx, c.smtp.Reset) == nil {
			return c, nil
		}
		c.close() // it ended while it was idle: that says nothing about the next
	}
}

// put takes a connection back.
func (p *pool) put(c *connection) {
	p.mu.Lock()
	if c.broken || c.mails >= maxMails || p.closed {
		p.mu.Unlock()
		c.close()
		return
	}
	defer p.mu.Unlock()
	c.expiry = time.AfterFunc(keepIdle, func() {
		if p.remove(c) {
			c.close()
		}
	})
	p.idle = append(p.idle, c)
}

// remove tells whether the connection was still idle.
func (p *pool) remove(c *connection) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.idle, c)
	if i < 0 {
		return false
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	return true
}

func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.expiry.Stop()
		c.close()
	}
}

// dial connects and logs in, in at most the server's timeout.
func dial(ctx context.Context, s *server) (_ *connection, err error) {
	c := &connection{server: s}
	defer func() {
		if err != nil && c.raw != nil {
			c.raw.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var stop func() bool // what ends the connection with the context
	options := []client.Option{
		client.WithPort(s.port),
		client.WithTimeout(s.timeout),
		client.WithTLSPolicy(s.policy),
		client.WithTLSConfig(s.tls),
		client.WithDialContextFunc(func(_ context.Context, network, address string) (net.Conn, error) {
			plain, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			c.raw = &bounded{Conn: plain}
			c.raw.left.Store(maxAnswers)
			stop = context.AfterFunc(ctx, func() { c.raw.Close() })
			if !s.implicit {
				return c.raw, nil
			}
			secure := tls.Client(c.raw, s.tls)
			return secure, secure.HandshakeContext(ctx)
		}),
	}
	if s.user != "" {
		method := client.SMTPAuthAutoDiscover
		if loopback(s.host) && s.policy != client.TLSMandatory {
			method = client.SMTPAuthPlainNoEnc // nobody but this machine can listen
		}
		options = append(options, client.WithSMTPAuth(method), client.WithUsername(s.user), client.WithPassword(s.password))
	}
	address := net.JoinHostPort(s.host, strconv.Itoa(s.port))
	connecting, err := client.NewClient(s.host, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to mail server %s: %w", address, err)
	}
	c.smtp, err = connecting.DialToSMTPClientWithContext(ctx)
	if stop != nil && !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to mail server %s: %w", address, err)
	}
	return c, nil
}

// do has one exchange with the server, within the server's timeout. An error
// that is not an answer, or an answer that says good-bye (421), is the end of
// the connection.
func (c *connection) do(ctx context.Context, exchange func() error) error {
	if err := c.raw.SetDeadline(time.Now().Add(c.server.timeout)); err != nil {
		c.broken = true
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.raw.Close() })
	err := exchange()
	if !stop() {
		c.broken = true
		return ctx.Err()
	}
	var answer *textproto.Error
	if err != nil && (!errors.As(err, &answer) || answer.Code == 421) {
		c.broken = true
	}
	return err
}

// send hands one mail over; the server has taken it when it returns nil. A
// connection that ends after the last byte and before the answer leaves open
// whether it was taken: that is an error, and sending again may be the second time.
func (c *connection) send(ctx context.Context, l letter) error {
	c.mails++
	c.raw.left.Store(maxAnswers)
	if err := c.do(ctx, func() error { return c.smtp.Mail("<" + l.from + ">") }); err != nil {
		return refusal(err, stageSender)
	}
	if err := c.do(ctx, func() error { return c.smtp.Rcpt("<" + l.to + ">") }); err != nil {
		return refusal(err, stageRecipient)
	}
	err := c.do(ctx, func() error {
		body, err := c.smtp.Data()
		if err != nil {
			return err
		}
		if _, err := body.Write(l.data); err != nil {
			return err
		}
		return body.Close()
	})
	if err != nil {
		return refusal(err, stageData)
	}
	return nil
}

// close says good-bye where somebody listens.
func (c *connection) close() {
	if !c.broken && c.raw.SetDeadline(time.Now().Add(quitWait)) == nil {
		c.smtp.Quit()
	}
	c.raw.Close()
}

// bounded is a connection whose other end may say only so much.
type bounded struct {
	net.Conn
	left atomic.Int64
}

var errTooMuch = fmt.Errorf("the server's answers are more than %d bytes", maxAnswers)

// Read implements net.Conn.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if b.left.Add(-int64(n)) < 0 {
		return 0, errTooMuch
	}
	return n, err
}

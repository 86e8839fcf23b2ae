// Package mail is the offline stack's mail server: it takes every mail that
// comes by SMTP, delivers none, and shows them in an inbox with an HTTP API and
// a page. Told to, it fails in the ways that real mail servers fail.
package mail

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	localhost = "127.0.0.1"

	maxMessage    = 10 << 20 // bytes
	maxRecipients = 100
	commandWait   = 5 * time.Minute // for a client's next command, and for a message to come
	headerWait    = 10 * time.Second
	idleWait      = 2 * time.Minute
	certificateOf = 365 * 24 * time.Hour
)

// Options configure a Mail. The zero value keeps mails in memory and listens
// on free ports.
type Options struct {
	// Dir keeps the mails, one file each; one Mail at a time can have it. Empty
	// keeps them in memory.
	Dir string
	// Host is the address that is listened on; 127.0.0.1 by default.
	Host string
	// Ports; 0 picks a free one. Open has no HTTP port.
	SMTPPort, HTTPPort int
	// Username and Password are what clients must give by AUTH PLAIN; while
	// Username is empty nobody has to, and whatever is given is right.
	Username, Password string
	// Logger gets what goes wrong; nil drops it.
	Logger *slog.Logger
}

// Mail is a running mail server with its inbox. Its methods may be called from
// any goroutine.
type Mail struct {
	options     Options
	store       *store
	faults      *faults
	listener    *listener
	smtp        *smtp.Server
	http        *http.Server
	web         net.Listener
	certificate []byte
	serving     sync.WaitGroup
	closing     context.CancelFunc
	closeOnce   sync.Once
	closeErr    error
}

// Start returns once both addresses take connections. The caller closes it.
func Start(o Options) (*Mail, error) {
	m, err := Open(o)
	if err != nil {
		return nil, err
	}
	if m.web, err = net.Listen("tcp", net.JoinHostPort(m.options.Host, strconv.Itoa(o.HTTPPort))); err != nil {
		return nil, errors.Join(fmt.Errorf("start mail server: %w", err), m.Close())
	}
	streams, closing := context.WithCancel(context.Background())
	m.closing = closing
	m.http = &http.Server{
		Handler:           m.Handler(),
		ReadHeaderTimeout: headerWait,
		IdleTimeout:       idleWait,
		BaseContext:       func(net.Listener) context.Context { return streams },
		ErrorLog:          slog.NewLogLogger(m.options.Logger.Handler(), slog.LevelWarn),
	}
	m.serving.Go(func() { m.http.Serve(m.web) })
	return m, nil
}

// Open is Start without the inbox's own address: its Handler is for another
// server. It returns once mail is taken. The caller closes it.
func Open(o Options) (_ *Mail, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.Host = cmp.Or(o.Host, localhost)
	m := &Mail{options: o, faults: &faults{}, closing: func() {}, http: &http.Server{}}
	defer func() {
		if err != nil {
			err = fmt.Errorf("start mail server: %w", err)
		}
	}()
	if m.store, err = openStore(o.Dir); err != nil {
		return nil, err
	}
	certificate, err := m.makeCertificate()
	if err != nil {
		return nil, err
	}
	incoming, err := net.Listen("tcp", net.JoinHostPort(o.Host, strconv.Itoa(o.SMTPPort)))
	if err != nil {
		return nil, err
	}
	m.listener = &listener{Listener: incoming, faults: m.faults, open: map[net.Conn]bool{}}

	m.smtp = smtp.NewServer(smtp.BackendFunc(m.newSession))
	m.smtp.Domain = "mail.drydock.test"
	m.smtp.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	m.smtp.AllowInsecureAuth = true // it takes whatever is given
	m.smtp.EnableSMTPUTF8 = true
	m.smtp.MaxMessageBytes = maxMessage
	m.smtp.MaxRecipients = maxRecipients
	m.smtp.ReadTimeout, m.smtp.WriteTimeout = commandWait, commandWait
	m.smtp.ErrorLog = slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn)

	m.serving.Go(func() { m.smtp.Serve(m.listener) })
	return m, nil
}

// URL is where the inbox's page and API answer.
func (m *Mail) URL() string { return "http://" + m.web.Addr().String() }

// SMTPURL is where mail is taken, with the credentials that are needed.
func (m *Mail) SMTPURL() string {
	u := url.URL{Scheme: "smtp", Host: m.listener.Addr().String()}
	if m.options.Username != "" {
		u.User = url.UserPassword(m.options.Username, m.options.Password)
	}
	return u.String()
}

// Certificate is the self-made certificate of STARTTLS, PEM. It is another one
// after each start.
func (m *Mail) Certificate() []byte { return m.certificate }

// Messages are the mails in the inbox with all of their parts, newest first.
func (m *Mail) Messages() ([]Message, error) {
	found := m.store.list(func(Message) bool { return true }, -1)
	for i, message := range found {
		raw, err := m.store.raw(message.ID)
		if err != nil {
			return nil, err
		}
		found[i] = message.read(raw)
	}
	return found, nil
}

// SetFault adds a fault, or replaces the one of the same kind and recipient.
func (m *Mail) SetFault(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	m.faults.put(f)
	if f.Kind == Down {
		m.listener.drop()
	}
	return nil
}

// Connections is how many clients are connected.
func (m *Mail) Connections() int {
	m.listener.mu.Lock()
	defer m.listener.mu.Unlock()
	return len(m.listener.open)
}

// ClearFaults ends all faults.
func (m *Mail) ClearFaults() { m.faults.clear() }

// Close ends all connections, of both kinds. Mails that were taken stay in the
// folder. It may be called twice.
func (m *Mail) Close() error {
	m.closeOnce.Do(func() {
		m.closing()
		m.store.close()
		m.listener.Close() // Serve may not have it yet
		m.smtp.Close()
		m.closeErr = m.http.Close()
		m.listener.drop()
		m.serving.Wait()
	})
	return m.closeErr
}

// makeCertificate signs itself: STARTTLS keeps others from reading along, and
// clients that check are given the certificate.
func (m *Mail) makeCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certificateOf),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.ParseIP(localhost)},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	m.certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, nil
}

// listener drops connections while the server is down, and knows those that are open.
type listener struct {
	net.Listener
	faults *faults

	mu   sync.Mutex
	open map[net.Conn]bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if _, down := l.faults.take(nil, Down); down {
			conn.Close()
			continue
		}
		l.mu.Lock()
		l.open[conn] = true
		l.mu.Unlock()
		return &tracked{Conn: conn, listener: l}, nil
	}
}

// drop closes every connection that is open.
func (l *listener) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.open {
		conn.Close()
	}
}

type tracked struct {
	net.Conn
	listener *listener
}

// Read implements net.Conn. Who only looks whether the server is there goes
// without hearing its greeting: a plain end, and nothing to warn of.
func (c *tracked) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, syscall.ECONNRESET) {
		err = io.EOF
	}
	return n, err
}

// Close implements net.Conn.
func (c *tracked) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c.Conn)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

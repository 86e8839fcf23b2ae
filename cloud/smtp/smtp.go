// Package smtp provides cloud.Mailer on a mail server that takes mail by SMTP.
//
// A server is named by a URL:
//
//	smtp://[user:password@]host[:port][?…]   port 587, or 25 without a user
//	smtps://[user:password@]host[:port][?…]  port 465, TLS from the beginning
//
//	tls=none|starttls|required    of smtp: never, when the server offers it (its
//	                              certificate is not checked then), or checked and
//	                              always. starttls by default, and required with
//	                              a password on another host than this one
//	ca=/path/to/certificates.pem  trusted instead of the system's
//	timeout=20s                   for each answer of the server
//	connections=[domain:]8        at once, over all domains (8 by default) or to one
//	rate=[domain:]10/s            mails per s, m or h, over all domains or to one
//
// The last two may be given several times, for several domains.
package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	client "github.com/wneessen/go-mail"

	"github.com/drydock/drydock/cloud"
)

// Mailer is a cloud.Mailer on one SMTP server.
type Mailer struct {
	server server
	pool   *pool
	limits *limits
}

// server is how to reach the server.
type server struct {
	host     string
	port     int
	implicit bool // TLS from the beginning
	policy   client.TLSPolicy
	tls      *tls.Config
	user     string
	password string
	timeout  time.Duration
}

const (
	defaultTimeout     = 20 * time.Second
	defaultConnections = 8
	maxConnections     = 1000
)

// takes is told to those who give a wrong URL. What they gave may hold a
// password, and is not repeated.
const takes = "the URL must be smtp://[user:password@]host[:port] or smtps://[user:password@]host[:port]"

// Open prepares a mailer for the server that the URL names; it is first
// reached when it is used. The caller closes the mailer.
func Open(rawURL string) (*Mailer, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("open mailer: " + takes)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("open mailer: what follows the ? is not name=value joined by &")
	}
	m := &Mailer{}
	if m.server, err = readServer(u, query); err != nil {
		return nil, fmt.Errorf("open mailer: %w", err)
	}
	if m.limits, err = readLimits(query); err != nil {
		return nil, fmt.Errorf("open mailer: %w", err)
	}
	for name := range query {
		switch name {
		case "tls", "ca", "timeout", "connections", "rate":
		default:
			return nil, fmt.Errorf("open mailer: %q is not one of tls, ca, timeout, connections, rate", name)
		}
	}
	m.pool = newPool(m.server)
	return m, nil
}

func readServer(u *url.URL, query url.Values) (s server, err error) {
	s = server{host: u.Hostname(), implicit: u.Scheme == "smtps", timeout: defaultTimeout}
	s.user = u.User.Username()
	s.password, _ = u.User.Password()
	s.port = 25
	switch {
	case s.implicit:
		s.port = 465
	case s.user != "":
		s.port = 587
	}
	if given := u.Port(); given != "" {
		if s.port, err = strconv.Atoi(given); err != nil || s.port < 1 || s.port > 65535 {
			return server{}, fmt.Errorf("port %.10q is not 1 to 65535", given)
		}
	}
	if given := query.Get("timeout"); given != "" {
		if s.timeout, err = time.ParseDuration(given); err != nil || s.timeout < 100*time.Millisecond || s.timeout > 10*time.Minute {
			return server{}, fmt.Errorf("timeout=%.20q is not a duration from 100ms to 10m", given)
		}
	}
	s.tls = &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	if path := query.Get("ca"); path != "" {
		pem, err := os.ReadFile(path)
		if err != nil {
			return server{}, fmt.Errorf("ca=%s: %w", path, err)
		}
		s.tls.RootCAs = x509.NewCertPool()
		if !s.tls.RootCAs.AppendCertsFromPEM(pem) {
			return server{}, fmt.Errorf("ca=%s: it holds no certificate in PEM", path)
		}
	}
	policy := query.Get("tls")
	if policy == "" {
		policy = "starttls"
	}
	if policy == "starttls" && s.user != "" && !loopback(s.host) {
		policy = "required" // a password is never sent in the clear
	}
	switch {
	case s.implicit && query.Has("tls"):
		return server{}, errors.New("tls= is for smtp://: smtps:// is TLS from the beginning")
	case s.implicit:
		s.policy = client.TLSOpportunistic // it is there already
	case policy == "none" && s.user != "" && !loopback(s.host):
		return server{}, errors.New("tls=none would send the password in the clear to another host")
	case policy == "none":
		s.policy = client.NoTLS
	case policy == "starttls":
		// Whoever can put a certificate of their own in between can take the
		// server's offer of TLS away too: a check would only keep mail from
		// servers that made their certificate themselves.
		s.policy = client.TLSOpportunistic
		s.tls.InsecureSkipVerify = true
	case policy == "required":
		s.policy = client.TLSMandatory
	default:
		return server{}, fmt.Errorf("tls=%.20q is not none, starttls or required", policy)
	}
	return s, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send implements cloud.Mailer. It waits its turn where a limit says so.
func (m *Mailer) Send(ctx context.Context, message cloud.Message) error {
	letter, err := compose(message)
	if err != nil {
		return fmt.Errorf("send mail %.200q: %w", message.ID, err)
	}
	release, err := m.limits.acquire(ctx, letter.domain())
	if err != nil {
		return fmt.Errorf("send mail %s: %w", message.ID, err)
	}
	defer release()
	c, err := m.pool.get(ctx)
	if err != nil {
		return fmt.Errorf("send mail %s: %w", message.ID, err)
	}
	err = c.send(ctx, letter)
	m.pool.put(c)
	if err != nil {
		return fmt.Errorf("send mail %s: %w", message.ID, err)
	}
	return nil
}

// Ready implements cloud.Mailer: it reaches the server and logs in. While all
// connections are at work there is none to ask with, and they tell by
// themselves when the server is away.
func (m *Mailer) Ready(ctx context.Context) error {
	release, free := m.limits.try()
	if !free {
		return nil
	}
	defer release()
	c, err := m.pool.get(ctx)
	if err != nil {
		return fmt.Errorf("the mail server %s cannot be used: %w", m.server.host, err)
	}
	m.pool.put(c)
	return nil
}

// Close implements cloud.Mailer. Mails that are being sent are let finish.
func (m *Mailer) Close() error {
	m.pool.close()
	return nil
}

// letter is a message made ready for the wire.
type letter struct {
	from, to string // plain addresses
	data     []byte
}

func (l letter) domain() string { return l.to[strings.LastIndexByte(l.to, '@')+1:] }

var idForm = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$`)

const (
	maxID      = 200
	maxSubject = 500
	maxLink    = 900 // a header's line may have 998
)

// compose writes the message as MIME. What could reach into another header is
// refused, not mended.
func compose(message cloud.Message) (letter, error) {
	from, err := address("From", message.From)
	if err != nil {
		return letter{}, err
	}
	to, err := address("To", message.To)
	if err != nil {
		return letter{}, err
	}
	switch {
	case len(message.ID) > maxID || !idForm.MatchString(message.ID):
		return letter{}, fmt.Errorf("the ID %.40q is not 1 to %d letters, digits, dots and dashes: %w", message.ID, maxID, cloud.ErrInvalid)
	case len(message.Subject) > maxSubject || strings.ContainsFunc(message.Subject, unicode.IsControl):
		return letter{}, fmt.Errorf("the subject %.40q is not one line of at most %d bytes: %w", message.Subject, maxSubject, cloud.ErrInvalid)
	case message.Text == "":
		return letter{}, fmt.Errorf("there is no text: %w", cloud.ErrInvalid)
	}
	made := client.NewMsg(client.WithNoDefaultUserAgent())
	made.FromMailAddress(from)
	made.ToMailAddress(to)
	made.Subject(message.Subject)
	// The same ID from whichever instance, so that receivers can fold two of a kind.
	made.SetMessageIDWithValue(message.ID + "@" + from.Address[strings.LastIndexByte(from.Address, '@')+1:])
	date := message.Date
	if date.IsZero() {
		date = time.Now()
	}
	made.SetDateWithValue(date)
	made.SetGenHeader("Auto-Submitted", "auto-generated")
	if link := message.Unsubscribe; link != "" {
		u, err := url.Parse(link)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(link) > maxLink || strings.ContainsAny(link, "<> ,\r\n\t") {
			return letter{}, fmt.Errorf("the link to unsubscribe is not an http or https URL of at most %d bytes: %w", maxLink, cloud.ErrInvalid)
		}
		made.SetGenHeader("List-Unsubscribe", "<"+u.String()+">")
		made.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	made.SetBodyString(client.TypeTextPlain, message.Text)
	if message.HTML != "" {
		made.AddAlternativeString(client.TypeTextHTML, message.HTML)
	}
	var data strings.Builder
	if _, err := made.WriteTo(&data); err != nil {
		return letter{}, fmt.Errorf("write it as MIME: %w", err)
	}
	return letter{from: from.Address, to: to.Address, data: []byte(data.String())}, nil
}

func address(what, text string) (*mail.Address, error) {
	parsed, err := mail.ParseAddress(text)
	// An address that has to be quoted is read in different ways by different servers.
	if err != nil || strings.ContainsFunc(text, unicode.IsControl) || (&mail.Address{Address: parsed.Address}).String() != "<"+parsed.Address+">" {
		return nil, fmt.Errorf("%s %.80q is not an e-mail address: %w", what, text, cloud.ErrInvalid)
	}
	return parsed, nil
}

// stage is how far a mail had come.
type stage int

const (
	stageSender stage = iota
	stageRecipient
	stageData
)

var (
	enhanced = regexp.MustCompile(`^[245]\.(\d{1,3})\.(\d{1,3})\s*`)
	spaces   = regexp.MustCompile(`[[:cntrl:]\s]+`)
)

const maxWords = 500

// refusal tells a refusal of this mail from trouble with the server: what it
// returns is a *cloud.MailError, or the error as it was.
func refusal(err error, at stage) error {
	var answer *textproto.Error
	if !errors.As(err, &answer) || answer.Code < 400 || answer.Code > 599 {
		return err
	}
	switch answer.Code {
	case 530, 534, 535, 538: // it wants us to log in, whatever the mail
		return err
	}
	words := strings.TrimSpace(spaces.ReplaceAllString(strings.ToValidUTF8(answer.Msg, "?"), " "))
	if len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "") + "…"
	}
	permanent := answer.Code >= 500
	return &cloud.MailError{
		Permanent: permanent,
		Recipient: permanent && ofRecipient(answer.Code, words, at),
		Code:      answer.Code,
		Words:     words,
	}
}

// ofRecipient tells that it is the address that is refused. The enhanced
// status says so where there is one (RFC 3463: X.1 is about addresses, of which
// .7 and .8 are the sender's, and X.2.1 is a mailbox that is closed); else the
// codes by which servers refuse a recipient. A policy that refuses the sender at
// that stage (X.7) says nothing about the address.
func ofRecipient(code int, words string, at stage) bool {
	if status := enhanced.FindStringSubmatch(words); status != nil && status[1] != "0" {
		switch {
		case status[1] == "1":
			return status[2] != "7" && status[2] != "8"
		case status[1] == "2":
			return status[2] == "1"
		}
		return false
	}
	switch code {
	case 501, 550, 551, 553:
		return at == stageRecipient
	}
	return false
}

package mail

import (
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// errDropped ends a session whose connection was dropped on purpose.
var errDropped = errors.New("the connection was dropped")

// session is one client's connection.
type session struct {
	mail          *Mail
	conn          *smtp.Conn
	authenticated bool
	from          string
	to            []string
}

func (m *Mail) newSession(conn *smtp.Conn) (smtp.Session, error) {
	return &session{mail: m, conn: conn, authenticated: m.options.Username == ""}, nil
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	if mechanism != sasl.Plain {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return sasl.NewPlainServer(func(_, username, password string) error {
		o := s.mail.options
		if o.Username != "" && subtle.ConstantTimeCompare([]byte(username+"\x00"+password), []byte(o.Username+"\x00"+o.Password)) == 0 {
			return smtp.ErrAuthFailed
		}
		s.authenticated = true
		return nil
	}), nil
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.authenticated {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "authenticate first"}
	}
	s.from = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if fault, ok := s.mail.faults.take([]string{to}, RejectRecipient); ok {
		return fault.refusal()
	}
	s.to = append(s.to, to)
	return nil
}

// Data implements smtp.Session. The mail is durable when it returns nil.
func (s *session) Data(body io.Reader) error {
	fault, _ := s.mail.faults.take(s.to, TempFail, Reject, Hang, CloseInData, CloseAfterData, Slow)
	if fault.Kind == CloseInData {
		io.CopyN(io.Discard, body, 64)
		return s.drop()
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	switch fault.Kind {
	case TempFail, Reject:
		return fault.refusal()
	case Hang:
		s.untilClosed(time.Time{})
		return s.drop()
	case Slow:
		s.untilClosed(time.Now().Add(fault.pause()))
	}
	if err := s.mail.store.add(s.from, s.to, raw); err != nil {
		s.mail.options.Logger.Error("keep mail", "error", err)
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "the mail cannot be kept, try again later"}
	}
	if fault.Kind == CloseAfterData {
		return s.drop()
	}
	return nil
}

// untilClosed waits for the client, which has nothing more to say, to end the
// connection, or until the deadline unless it is zero.
func (s *session) untilClosed(deadline time.Time) {
	conn := s.conn.Conn()
	conn.SetReadDeadline(deadline)
	var one [1]byte
	conn.Read(one[:])
}

func (s *session) drop() error {
	conn := s.conn.Conn()
	if tcp, ok := conn.(*tracked); ok {
		if plain, ok := tcp.Conn.(*net.TCPConn); ok {
			plain.SetLinger(0) // as a crash of the server looks to the client
		}
	}
	conn.Close()
	return errDropped
}

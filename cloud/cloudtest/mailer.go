package cloudtest

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
)

// MailServer is a mailer, and what the suite has to know of the server behind it.
type MailServer struct {
	Mailer cloud.Mailer
	// Taken returns the mails that the server has taken, as they came, oldest first.
	Taken func() [][]byte
	// Refuse makes the server refuse the next mail with the code and words, or
	// the next mail's recipient.
	Refuse func(code int, words string, recipient bool)
}

// Mailer runs the suite of cloud.Mailer; open returns a fresh one each time.
func Mailer(t *testing.T, open func(t *testing.T) MailServer) {
	t.Run("a mail arrives as it was meant", func(t *testing.T) {
		t.Parallel()
		s, ctx := open(t), bounded(t)
		date := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
		require.NoError(t, s.Mailer.Send(ctx, cloud.Message{
			ID: "r1.k3x-9", From: "Drydock Alerts <alerts@example.com>", To: "Änn <ann@example.org>",
			Subject: "ACME fell below 95.00 — jetzt für 94,20 €", Text: "Grüße.\n.\n.dots and\tall\n", HTML: "<p>Grüße.</p>",
			Unsubscribe: "https://example.com/v1/unsubscribe/a.b?x=1", Date: date,
		}))
		taken := s.Taken()
		require.Len(t, taken, 1)
		m, err := mail.ReadMessage(bytes.NewReader(taken[0]))
		require.NoError(t, err)
		header := func(name string) string {
			decoded, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get(name))
			require.NoError(t, err)
			return decoded
		}
		assert.Equal(t, "<r1.k3x-9@example.com>", header("Message-ID"))
		assert.Equal(t, "ACME fell below 95.00 — jetzt für 94,20 €", header("Subject"))
		assert.Equal(t, "<https://example.com/v1/unsubscribe/a.b?x=1>", header("List-Unsubscribe"))
		assert.Equal(t, "List-Unsubscribe=One-Click", header("List-Unsubscribe-Post"))
		to, err := m.Header.AddressList("To")
		require.NoError(t, err)
		assert.Equal(t, []*mail.Address{{Name: "Änn", Address: "ann@example.org"}}, to)
		at, err := m.Header.Date()
		require.NoError(t, err)
		assert.True(t, at.Equal(date))
		assert.Equal(t, map[string]string{"text/plain": "Grüße.\n.\n.dots and\tall\n", "text/html": "<p>Grüße.</p>"}, mailParts(t, m))
	})

	t.Run("sending twice gives one Message-ID", func(t *testing.T) {
		t.Parallel()
		s, ctx := open(t), bounded(t)
		for range 2 {
			require.NoError(t, s.Mailer.Send(ctx, plainMail("same")))
		}
		for _, raw := range s.Taken() {
			m, err := mail.ReadMessage(bytes.NewReader(raw))
			require.NoError(t, err)
			assert.Equal(t, "<same@example.com>", m.Header.Get("Message-ID"))
		}
	})

	t.Run("what cannot be a mail is invalid and injects no header", func(t *testing.T) {
		t.Parallel()
		s, ctx := open(t), bounded(t)
		const evil = "\r\nBcc: eve@example.net\r\n\r\nbody"
		for name, change := range map[string]func(*cloud.Message){
			"ID":          func(m *cloud.Message) { m.ID += evil },
			"no ID":       func(m *cloud.Message) { m.ID = "" },
			"long ID":     func(m *cloud.Message) { m.ID = strings.Repeat("a", 201) },
			"subject":     func(m *cloud.Message) { m.Subject += evil },
			"subject LF":  func(m *cloud.Message) { m.Subject += "\nBcc: eve@example.net" },
			"from":        func(m *cloud.Message) { m.From += evil },
			"from name":   func(m *cloud.Message) { m.From = `"Ann` + evil + `" <ann@example.com>` },
			"to":          func(m *cloud.Message) { m.To += evil },
			"two to":      func(m *cloud.Message) { m.To += ", eve@example.net" },
			"to quoted":   func(m *cloud.Message) { m.To = `"a> RCPT TO:<eve"@example.net` },
			"to name":     func(m *cloud.Message) { m.To = "\"x" + evil + "\" <ann@example.org>" },
			"unsubscribe": func(m *cloud.Message) { m.Unsubscribe = "https://example.com/" + evil },
			"no link":     func(m *cloud.Message) { m.Unsubscribe = "javascript:alert(1)" },
			"no text":     func(m *cloud.Message) { m.Text = "" },
		} {
			message := plainMail("evil")
			change(&message)
			assert.ErrorIs(t, s.Mailer.Send(ctx, message), cloud.ErrInvalid, name)
		}
		assert.Empty(t, s.Taken())
	})

	t.Run("refusals tell what is refused", func(t *testing.T) {
		t.Parallel()
		s, ctx := open(t), bounded(t)
		for i, refused := range []struct {
			words     string
			recipient bool // that the server refuses
			want      cloud.MailError
		}{
			{"try later", false, cloud.MailError{Code: 451}},
			{"mailbox busy", true, cloud.MailError{Code: 450}},
			{"not wanted here", false, cloud.MailError{Code: 554, Permanent: true}},
			{"no such mailbox", true, cloud.MailError{Code: 550, Permanent: true, Recipient: true}},
		} {
			s.Refuse(refused.want.Code, refused.words, refused.recipient)
			var got *cloud.MailError
			require.ErrorAs(t, s.Mailer.Send(ctx, plainMail("refused")), &got)
			assert.Contains(t, got.Words, refused.words)
			got.Words = ""
			assert.Equal(t, refused.want, *got)
			require.NoError(t, s.Mailer.Send(ctx, plainMail("next")), "the next one goes")
			assert.Len(t, s.Taken(), i+1)
		}
	})

	t.Run("it is ready and may be closed twice", func(t *testing.T) {
		t.Parallel()
		s, ctx := open(t), bounded(t)
		require.NoError(t, s.Mailer.Ready(ctx))
		require.NoError(t, s.Mailer.Close())
		require.NoError(t, s.Mailer.Close())
		assert.Error(t, s.Mailer.Send(ctx, plainMail("late")))
		assert.Error(t, s.Mailer.Ready(ctx))
	})

	t.Run("sending ends with its context", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		ctx, cancel := context.WithCancel(bounded(t))
		cancel()
		assert.ErrorIs(t, s.Mailer.Send(ctx, plainMail("late")), context.Canceled)
	})
}

func plainMail(id string) cloud.Message {
	return cloud.Message{ID: id, From: "alerts@example.com", To: "ann@example.org", Subject: "s", Text: "t"}
}

// parts are the bodies of a multipart/alternative by their type.
func mailParts(t *testing.T, m *mail.Message) map[string]string {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	found := map[string]string{}
	for reader := multipart.NewReader(m.Body, parameters["boundary"]); ; {
		part, err := reader.NextRawPart()
		if err == io.EOF {
			return found
		}
		require.NoError(t, err)
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		found[kind] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
}

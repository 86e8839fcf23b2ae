package mail

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // what is not UTF-8 is read too
	"github.com/emersion/go-message/mail"
)

// Message is a mail that was taken. Lists leave out Headers, Text, HTML and
// Attachments.
type Message struct {
	ID string    `json:"id"`
	At time.Time `json:"at"` // when it was taken
	// Sender and Recipients are those of the envelope.
	Sender     string   `json:"sender"`
	Recipients []string `json:"recipients"`
	// From, To, Subject and MessageID are those of the header, decoded.
	From      string `json:"from"`
	To        string `json:"to"`
	Subject   string `json:"subject"`
	MessageID string `json:"message_id"`
	Size      int    `json:"size"` // bytes

	Headers     []Header     `json:"headers,omitempty"`
	Text        string       `json:"text,omitempty"`
	HTML        string       `json:"html,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
}

// Header is one line of the header, decoded.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Attachment is a part that is neither the text nor the HTML.
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"` // bytes, decoded
}

// Bounds of what is read of a message; its raw form has everything.
const (
	maxDepth   = 10 // of parts within parts
	maxParts   = 100
	maxHeaders = 500
)

// Header returns the first header of that name; empty when there is none.
func (m Message) Header(name string) string {
	for _, header := range m.Headers {
		if strings.EqualFold(header.Name, name) {
			return header.Value
		}
	}
	return ""
}

// summarize reads what lists show. A message that is none has an envelope only.
func summarize(about envelope, raw []byte) Message {
	m := Message{ID: about.ID, At: about.At, Sender: about.Sender, Recipients: about.Recipients, Size: len(raw)}
	entity, err := message.Read(bytes.NewReader(raw))
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return m
	}
	header := mail.Header{Header: entity.Header}
	m.From, m.To, m.Subject = text(header, "From"), text(header, "To"), text(header, "Subject")
	m.MessageID = strings.Trim(header.Get("Message-Id"), "<> ")
	return m
}

// text decodes a header as far as it can be decoded.
func text(header mail.Header, name string) string {
	if value, err := header.Text(name); err == nil {
		return value
	}
	return header.Get(name)
}

// read fills in what lists leave out.
func (m Message) read(raw []byte) Message {
	entity, err := message.Read(bytes.NewReader(raw))
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		m.Text = string(raw)
		return m
	}
	for fields := entity.Header.Fields(); fields.Next() && len(m.Headers) < maxHeaders; {
		value, err := fields.Text()
		if err != nil {
			value = fields.Value()
		}
		m.Headers = append(m.Headers, Header{Name: fields.Key(), Value: value})
	}
	parts := maxParts
	m.readPart(entity, maxDepth, &parts)
	return m
}

// readPart reads a part and those within it, as far as the bounds allow.
func (m *Message) readPart(part *message.Entity, depth int, parts *int) {
	if *parts--; *parts < 0 {
		return
	}
	kind, parameters, err := part.Header.ContentType()
	if err != nil {
		kind = "application/octet-stream"
	}
	if within := part.MultipartReader(); within != nil && depth > 0 {
		for {
			next, err := within.NextPart()
			if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return
			}
			m.readPart(next, depth-1, parts)
			if *parts <= 0 {
				return
			}
		}
	}
	disposition, named, _ := part.Header.ContentDisposition()
	if disposition != "attachment" && slices.Contains([]string{"text/plain", "text/html"}, kind) {
		body, _ := io.ReadAll(part.Body) // what can be read of it
		if kind == "text/plain" {
			m.Text += string(body)
		} else {
			m.HTML += string(body)
		}
		return
	}
	name := named["filename"]
	if name == "" {
		name = parameters["name"]
	}
	size, _ := io.Copy(io.Discard, part.Body)
	m.Attachments = append(m.Attachments, Attachment{Name: name, ContentType: kind, Size: size})
}

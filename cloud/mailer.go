package cloud

import (
	"context"
	"fmt"
	"time"
)

// Mailer hands messages over to the mail system.
//
// Mailer is safe for concurrent use.
type Mailer interface {
	// Send returns nil once the mail system has taken the message for every
	// recipient; what it refuses is a *MailError. Sending twice gives both the
	// same Message-ID: receivers may fold them, the mail system need not.
	Send(ctx context.Context, message Message) error
	// Ready returns nil while the mail system can be reached, else the reason why not.
	Ready(ctx context.Context) error
	// Close releases the connections. It may be called twice.
	Close() error
}

// Message is one e-mail to one person. Text must be given.
type Message struct {
	// ID makes the Message-ID: letters, digits, dots and dashes, at most 200.
	ID string
	// From and To are addresses, with or without a name: "Ann <ann@example.com>".
	From, To   string
	Subject    string
	Text, HTML string
	// Unsubscribe is the link of the List-Unsubscribe header, which takes a
	// POST of one click (RFC 8058); empty for none.
	Unsubscribe string
	// Date is when the message was written; the zero time is now.
	Date time.Time
}

// MailError is the mail system's refusal of a message.
type MailError struct {
	// Permanent tells that the same message will never be taken (5xx).
	Permanent bool
	// Recipient tells that it is the address that is refused, not the message.
	Recipient bool
	Code      int    // SMTP's, as 550
	Words     string // the server's own
	// RetryAfter is the pause that the system asks for; zero when it does not.
	RetryAfter time.Duration
}

func (e *MailError) Error() string {
	kind := "for now"
	if e.Permanent {
		kind = "for good"
	}
	return fmt.Sprintf("the mail server refuses it %s: %d %s", kind, e.Code, e.Words)
}

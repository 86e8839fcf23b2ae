package mail

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Kinds of Fault.
const (
	TempFail        = "tempfail"         // refuses the message for now (451)
	Reject          = "reject"           // refuses the message for good (554)
	RejectRecipient = "reject_recipient" // refuses the recipient (550)
	Hang            = "hang"             // never answers to the message
	CloseInData     = "close_in_data"    // drops the connection while the message comes, and keeps nothing
	CloseAfterData  = "close_after_data" // keeps the message, and drops the connection before it says so
	Slow            = "slow"             // answers to the message after a while
	Down            = "down"             // drops every connection at once
)

// Fault is a way to fail.
type Fault struct {
	Kind string `json:"kind"`
	// Recipient limits the fault to mails for this address; empty for all. It
	// has no meaning for Down.
	Recipient string `json:"recipient,omitempty"`
	// Times is how often it happens; 0 for as long as the fault is there.
	Times int `json:"times,omitempty"`
	// Code and Words are what a refusal says.
	Code  int    `json:"code,omitempty"`
	Words string `json:"words,omitempty"`
	// Seconds is how long Slow waits; 1 when zero.
	Seconds float64 `json:"seconds,omitempty"`
}

const (
	maxWords   = 200
	maxSeconds = 600
)

// check returns an error that says, for people, what about the fault cannot be.
func (f Fault) check() error {
	kinds := []string{TempFail, Reject, RejectRecipient, Hang, CloseInData, CloseAfterData, Slow, Down}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault: kind %.40q is not one of %s", f.Kind, strings.Join(kinds, ", "))
	case f.Times < 0:
		return fmt.Errorf("fault: times %d is less than 0", f.Times)
	case f.Code != 0 && (f.Code < 400 || f.Code > 599):
		return fmt.Errorf("fault: code %d is not 400 to 599", f.Code)
	case len(f.Words) > maxWords || strings.ContainsAny(f.Words, "\r\n"):
		return fmt.Errorf("fault: words are not one line of at most %d bytes", maxWords)
	case !(f.Seconds >= 0 && f.Seconds <= maxSeconds):
		return fmt.Errorf("fault: seconds %v is not 0 to %d", f.Seconds, maxSeconds)
	}
	return nil
}

// refusal is what the fault says to the client.
func (f Fault) refusal() error {
	code, words, status := 451, "the message cannot be taken now, try again later", smtp.EnhancedCode{0, 3, 0}
	switch f.Kind {
	case Reject:
		code, words, status = 554, "the message is not wanted here", smtp.EnhancedCode{0, 6, 0}
	case RejectRecipient:
		code, words, status = 550, "there is no such mailbox", smtp.EnhancedCode{0, 1, 1}
	}
	if f.Code != 0 {
		code = f.Code
	}
	if f.Words != "" {
		words = f.Words
	}
	status[0] = code / 100
	return &smtp.SMTPError{Code: code, EnhancedCode: status, Message: words}
}

func (f Fault) pause() time.Duration {
	if f.Seconds == 0 {
		return time.Second
	}
	return time.Duration(f.Seconds * float64(time.Second))
}

// faults are those that are set, at most one of a kind and recipient.
type faults struct {
	mu  sync.Mutex
	set []Fault
}

func (f *faults) put(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	same := func(old Fault) bool {
		return old.Kind == fault.Kind && strings.EqualFold(old.Recipient, fault.Recipient)
	}
	if i := slices.IndexFunc(f.set, same); i >= 0 {
		f.set[i] = fault
		return
	}
	f.set = append(f.set, fault)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set = nil
}

func (f *faults) list() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Fault{}, f.set...)
}

// take finds a fault of one of the kinds that a mail to the recipients meets,
// and counts it.
func (f *faults) take(recipients []string, kinds ...string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.set {
		meets := fault.Recipient == "" || fault.Kind == Down ||
			slices.ContainsFunc(recipients, func(to string) bool { return strings.EqualFold(to, fault.Recipient) })
		if !meets || !slices.Contains(kinds, fault.Kind) {
			continue
		}
		switch fault.Times {
		case 0:
		case 1:
			f.set = slices.Delete(f.set, i, i+1)
		default:
			f.set[i].Times--
		}
		return fault, true
	}
	return Fault{}, false
}

package login

import (
	"sync"
	"time"

	"golang.org/x/oauth2"
)

const (
	// pendingFor is how long somebody may take to log in.
	pendingFor = 5 * time.Minute
	// maxPending bounds how many may do so at a time.
	maxPending = 1000
)

// pending is a login that has begun in somebody's browser.
type pending struct {
	method   string
	state    string
	redirect string
	verifier string // for PKCE; empty without
	url      string
	until    time.Time
}

// Logins are those that have begun and not ended yet, in memory. The zero value
// is ready; it may be used from any goroutine.
type Logins struct {
	mu      sync.Mutex
	pending map[string]*pending // by the client's nonce
}

// begin is the login of a nonce that has begun already, or else this one.
func (l *Logins) begin(nonce string, p *pending) *pending {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for other, begun := range l.pending {
		if begun.until.Before(now) {
			delete(l.pending, other)
		}
	}
	if begun := l.pending[nonce]; begun != nil {
		return begun
	}
	if l.pending == nil || len(l.pending) >= maxPending {
		l.pending = map[string]*pending{}
	}
	p.until = now.Add(pendingFor)
	l.pending[nonce] = p
	return p
}

// end is the login of a nonce, which has ended with this; nil when there is none.
func (l *Logins) end(nonce, method string) *pending {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pending[nonce]
	if p == nil || p.method != method || p.until.Before(time.Now()) {
		return nil
	}
	delete(l.pending, nonce)
	return p
}

// exchange are the options with which the login's code is exchanged.
func (p *pending) exchange() []oauth2.AuthCodeOption {
	if p.verifier == "" {
		return nil
	}
	return []oauth2.AuthCodeOption{oauth2.VerifierOption(p.verifier)}
}

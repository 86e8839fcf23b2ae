package webhooks

import (
	"errors"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/drydock/drydock/workers/runner"
)

const (
	// breakerFailures in a row open a host's breaker for breakerDelay; one
	// request then tries whether the host is back.
	breakerFailures = 5
	breakerDelay    = 30 * time.Second
	// maxBreakers bounds how many hosts are remembered. Beyond them all are forgotten.
	maxBreakers = 10_000
)

// errOpen says why a request was not made.
var errOpen = errors.New("the host has failed too often just now")

// breakers keep a host that is dead from holding up others: requests to it are
// put off without waiting for its timeouts.
type breakers struct {
	mu   sync.Mutex
	host map[string]circuitbreaker.CircuitBreaker[any]
}

func newBreakers() *breakers {
	return &breakers{host: map[string]circuitbreaker.CircuitBreaker[any]{}}
}

func (b *breakers) of(host string) circuitbreaker.CircuitBreaker[any] {
	b.mu.Lock()
	defer b.mu.Unlock()
	breaker, known := b.host[host]
	if !known {
		if len(b.host) >= maxBreakers {
			clear(b.host)
		}
		breaker = circuitbreaker.NewBuilder[any]().
			WithFailureThreshold(breakerFailures).
			WithDelay(breakerDelay).
			HandleIf(func(_ any, err error) bool { return dead(err) }).
			Build()
		b.host[host] = breaker
	}
	return breaker
}

// run makes the request if the host's breaker lets it.
func (b *breakers) run(host string, request func() error) error {
	breaker := b.of(host)
	err := failsafe.With(breaker).Run(request)
	if errors.Is(err, circuitbreaker.ErrOpen) {
		return runner.RetryAfter(errOpen, max(breaker.RemainingDelay(), time.Second))
	}
	return err
}

// dead tells that the host did not answer, or that it cannot. An answer that
// refuses this request says that the host lives.
func dead(err error) bool {
	var said *answer
	var refused *forbiddenError
	switch {
	case err == nil, errors.As(err, &refused):
		return false
	case errors.As(err, &said):
		return said.status >= 500
	}
	return true
}

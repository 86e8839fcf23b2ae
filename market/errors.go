package market

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ErrNoHistory: the vendor's description has no history.
var ErrNoHistory = errors.New("the vendor has no history")

// RateLimitedError: the vendor, or its rate as declared, takes no request now.
type RateLimitedError struct {
	RetryAfter time.Duration
}

func (e *RateLimitedError) Error() string {
	return fmt.Sprintf("the vendor takes no more requests for %v", e.RetryAfter.Round(time.Millisecond))
}

// UnavailableError: the vendor did not answer, or said that it cannot.
type UnavailableError struct {
	// RetryAfter is how long it will not be asked again after too many
	// failures; zero when it may be asked at once.
	RetryAfter time.Duration
	Err        error
}

func (e *UnavailableError) Error() string {
	if e.RetryAfter > 0 {
		return fmt.Sprintf("the vendor fails and is left alone for %v: %v", e.RetryAfter.Round(time.Millisecond), e.Err)
	}
	return fmt.Sprintf("the vendor is unavailable: %v", e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// RefusedError: the vendor refuses the request; asking again is of no use
// until the description, the credentials or the symbols are others.
type RefusedError struct {
	Status int // HTTP's
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the vendor refuses the request with status %d: check the URLs, headers and symbols that %s describes", e.Status, Variable)
}

// AnswerError: the vendor's answer is not what its description says.
type AnswerError struct {
	Err error
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the vendor's answer cannot be read: %v", e.Err)
}

func (e *AnswerError) Unwrap() error { return e.Err }

// Kinds of failures, as the metrics name them.
const (
	kindRateLimited = "rate_limited"
	kindUnavailable = "unavailable"
	kindRefused     = "refused"
	kindAnswer      = "answer"
	kindEntry       = "entry"
)

// newFailures registers
//
//	drydock_market_errors_total{kind}
//
// which counts failed requests by their kind, and entries that are no quotes.
func newFailures(registerer prometheus.Registerer) *prometheus.CounterVec {
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "drydock_market_errors_total", Help: "Failures of the market-data vendor.",
	}, []string{"kind"})
	if registerer != nil {
		registerer.MustRegister(failures)
	}
	return failures
}

// fail counts a failure of the vendor's and returns it.
func (c *Client) fail(err error) error {
	if kind := kindOf(err); kind != "" {
		c.failures.WithLabelValues(kind).Inc()
	}
	return err
}

// kindOf is empty for what is not the vendor's failure.
func kindOf(err error) string {
	var limited *RateLimitedError
	var unavailable *UnavailableError
	var refused *RefusedError
	var answer *AnswerError
	switch {
	case errors.As(err, &limited):
		return kindRateLimited
	case errors.As(err, &unavailable):
		return kindUnavailable
	case errors.As(err, &refused):
		return kindRefused
	case errors.As(err, &answer):
		return kindAnswer
	}
	return ""
}

package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/drydock/drydock/contract"
)

const (
	maxBody   = 16 << 20 // of an answer, unpacked
	maxHeader = 64 << 10
	// maxPause bounds the pause that a vendor can ask for, and pauseUnsaid is
	// for those that do not say how long.
	maxPause    = time.Hour
	pauseUnsaid = 5 * time.Second
)

// patience is how long and how often a vendor is asked.
type patience struct {
	wait              time.Duration // for one answer
	attempts          int           // of one request
	pause, maxPause   time.Duration // between attempts
	failures          uint          // in a row, that open the breaker
	openFor, openFlex time.Duration // of the breaker
}

var defaultPatience = patience{
	wait:     10 * time.Second,
	attempts: 3, pause: 200 * time.Millisecond, maxPause: 2 * time.Second,
	failures: 6, openFor: 3 * time.Second, openFlex: time.Second,
}

func newClient(o Options, v *vendor, p patience) *Client {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	unavailable := func(_ reply, err error) bool {
		var away *UnavailableError
		return errors.As(err, &away)
	}
	breaker := circuitbreaker.NewBuilder[reply]().
		HandleIf(unavailable).
		WithFailureThreshold(p.failures).
		WithSuccessThreshold(1).
		WithDelay(p.openFor).WithJitter(p.openFlex).
		Build()
	retries := retrypolicy.NewBuilder[reply]().
		HandleIf(unavailable).
		WithMaxAttempts(p.attempts).
		WithBackoff(p.pause, p.maxPause).WithJitterFactor(0.25).
		ReturnLastFailure().
		Build()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = requestsAtOnce
	transport.MaxResponseHeaderBytes = maxHeader
	return &Client{
		vendor:   v,
		limit:    newLimit(o.Records, v.name, v.rate),
		http:     &http.Client{Transport: transport, CheckRedirect: stay},
		wait:     p.wait,
		executor: failsafe.With[reply](retries, breaker),
		breaker:  breaker,
		failures: newFailures(o.Registerer),
		log:      o.Logger,
		answers:  map[string]answered{},
		seen:     map[string]contract.Quote{},
	}
}

// stay follows no redirection: the headers are for the vendor alone.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// reply is an answer to a request. It has no body when it is unchanged.
type reply struct {
	body           []byte
	etag, modified string
	unchanged      bool
}

// get asks for a URL until there is an answer, within the attempts, the rate
// and what the breaker lets through.
func (c *Client) get(ctx context.Context, address string, known answered) (reply, error) {
	var last error
	answer, err := c.executor.WithContext(ctx).GetWithExecution(func(execution failsafe.Execution[reply]) (reply, error) {
		var answer reply
		answer, last = c.attempt(execution.Context(), address, known)
		return answer, c.fail(last)
	})
	if errors.Is(err, circuitbreaker.ErrOpen) {
		return reply{}, &UnavailableError{
			RetryAfter: max(c.breaker.RemainingDelay(), time.Millisecond),
			Err:        cmp.Or(last, errors.New("several requests in a row had failed")),
		}
	}
	return answer, err
}

// attempt sends one request. Errors hold no URL: there may be secrets in it.
func (c *Client) attempt(ctx context.Context, address string, known answered) (reply, error) {
	if err := c.limit.take(ctx); err != nil {
		return reply{}, err
	}
	asking, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	request, err := http.NewRequestWithContext(asking, http.MethodGet, address, nil)
	if err != nil {
		return reply{}, &AnswerError{Err: errors.New("its next page makes no URL")}
	}
	for name, value := range c.vendor.headers {
		request.Header.Set(name, value)
	}
	if known.etag != "" {
		request.Header.Set("If-None-Match", known.etag)
	}
	if known.modified != "" {
		request.Header.Set("If-Modified-Since", known.modified)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, away(ctx, err)
	}
	defer response.Body.Close()

	switch status := response.StatusCode; {
	case status == http.StatusOK:
		return readBody(ctx, response)
	case status == http.StatusNotModified && known.etag+known.modified != "":
		return reply{unchanged: true}, nil
	case status == http.StatusTooManyRequests:
		pause := retryAfter(response.Header.Get("Retry-After"), time.Now())
		if err := c.limit.pause(ctx, pause); err != nil {
			return reply{}, err
		}
		return reply{}, &RateLimitedError{RetryAfter: pause}
	case status >= 500, status == http.StatusRequestTimeout:
		return reply{}, &UnavailableError{Err: fmt.Errorf("it answers with status %d", status)}
	default:
		return reply{}, &RefusedError{Status: status}
	}
}

func readBody(ctx context.Context, response *http.Response) (reply, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return reply{}, away(ctx, err)
	}
	if len(body) > maxBody {
		return reply{}, &AnswerError{Err: fmt.Errorf("it is longer than %d MiB: ask for fewer symbols or a smaller limit at once", maxBody>>20)}
	}
	return reply{body: body, etag: response.Header.Get("ETag"), modified: response.Header.Get("Last-Modified")}, nil
}

// away is the error of a request without a whole answer.
func away(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the URL
	}
	return &UnavailableError{Err: err}
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(value string, now time.Time) time.Duration {
	pause := pauseUnsaid
	if seconds, err := strconv.Atoi(value); err == nil {
		pause = time.Duration(min(seconds, int(maxPause/time.Second))) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		pause = date.Sub(now)
	}
	return min(max(pause, 0), maxPause)
}

// Package webhooks posts the alerts whose rules ask for it to the URL of their
// owner, signed as Standard Webhooks says (https://www.standardwebhooks.com).
package webhooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/workers/runner"
)

const (
	name      = "webhooks"
	typeAlert = "alert.triggered"

	defaultTimeout = 10 * time.Second
	maxAnswer      = 16 << 10 // bytes of a response that are read
	shownAnswer    = 200      // bytes of it that an error shows
	maxRetryAfter  = time.Hour
	secretPrefix   = "whsec_"

	concurrency = 32
	attempts    = 16
	maxInFlight = 10_000 // of one endpoint that is away, alerts may wait while those for others go on
	backoff     = 2 * time.Second
	backoffMax  = 10 * time.Minute
)

// Options configure Webhooks. Bus and Rules must be given.
type Options struct {
	Bus   cloud.Bus
	Rules cloud.Records // the collection contract.AlertsCollection
	// AllowPrivate lets requests go to this machine and to private networks;
	// owners could reach what is not theirs there.
	AllowPrivate bool
	// Timeout is for a whole request; 10 seconds when zero.
	Timeout time.Duration
	Drain   time.Duration // see runner.Options
	// Subscribed is called once alerts can come; nil tells nobody.
	Subscribed func()

	Logger     *slog.Logger          // slog.Default() when nil
	Registerer prometheus.Registerer // nil counts nothing
}

// Webhooks is the worker.
type Webhooks struct {
	Options
	client   *http.Client
	breakers *breakers
}

// New prepares the worker.
func New(o Options) *Webhooks {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Webhooks{Options: o, client: newClient(o), breakers: newBreakers()}
}

// Run posts alerts until the context ends, then drains, and returns nil. It
// returns an error when it cannot subscribe.
func (w *Webhooks) Run(ctx context.Context) error {
	defer w.client.CloseIdleConnections()
	var metrics *runner.Metrics
	if w.Registerer != nil {
		metrics = runner.NewMetrics(w.Registerer)
	}
	return runner.Run(ctx, runner.Options{
		Bus:         w.Bus,
		Name:        name,
		Topic:       contract.TopicAllTriggered,
		Handler:     w,
		Subscribed:  w.Subscribed,
		Concurrency: concurrency,
		MaxInFlight: maxInFlight,
		Attempts:    attempts,
		Backoff:     backoff,
		BackoffMax:  backoffMax,
		Drain:       w.Drain,
		Logger:      w.Logger,
		Metrics:     metrics,
	})
}

// body is what is posted.
type body struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // when the rule was met, by the market's time
	Data      data      `json:"data"`
}

type data struct {
	contract.Alert
	Note string `json:"note,omitempty"` // the owner's own words
}

// Handle implements runner.Handler. An endpoint that is killed after it took
// the alert, or whose answer is lost, gets it again with the same webhook-id.
func (w *Webhooks) Handle(ctx context.Context, event cloud.Event) error {
	var alert contract.Alert
	if err := json.Unmarshal(event.Data, &alert); err != nil {
		return runner.Permanent(fmt.Errorf("read alert: %w", err))
	}
	if _, ok := contract.AlertTime(alert.ID); !ok {
		return runner.Permanent(fmt.Errorf("read alert: its ID %.80q is none", alert.ID))
	}
	record, err := w.Rules.Get(ctx, contract.RecordKey(alert.Owner, alert.Rule))
	switch {
	case errors.Is(err, cloud.ErrNotFound):
		return nil // its owner has removed it
	case errors.Is(err, cloud.ErrInvalid):
		return runner.Permanent(err)
	case err != nil:
		return err
	}
	var rule contract.Rule
	if err := json.Unmarshal(record.Value, &rule); err != nil {
		return runner.Permanent(fmt.Errorf("read rule %s: %w", record.Key, err))
	}
	if rule.Paused || rule.Channel.Kind != contract.Webhook {
		return nil
	}
	payload, err := json.Marshal(body{Type: typeAlert, Timestamp: alert.Time, Data: data{alert, rule.Note}})
	if err != nil {
		return runner.Permanent(err)
	}
	return w.post(ctx, alert.ID, payload, rule.Channel)
}

// GiveUp implements runner.Handler: the dead letter says why.
func (w *Webhooks) GiveUp(context.Context, cloud.Event, error) error { return nil }

// post sends one request, unless the host's breaker is open.
func (w *Webhooks) post(ctx context.Context, id string, payload []byte, to contract.Channel) error {
	endpoint, err := url.Parse(to.Address)
	if err != nil || endpoint.Host == "" {
		return runner.Permanent(fmt.Errorf("post webhook %s: the rule's address is no URL", id))
	}
	request, err := http.NewRequest(http.MethodPost, to.Address, bytes.NewReader(payload))
	if err != nil {
		return runner.Permanent(fmt.Errorf("post webhook %s: %w", id, err))
	}
	now := time.Now()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Drydock-Webhooks/1")
	request.Header.Set("traceparent", cloud.TraceOf(ctx).Next().String())
	request.Header.Set("webhook-id", id)
	request.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	if to.Secret != "" {
		signature, err := sign(to.Secret, id, now, payload)
		if err != nil {
			return runner.Permanent(fmt.Errorf("post webhook %s: %w", id, err))
		}
		request.Header.Set("webhook-signature", signature)
	}
	err = w.breakers.run(endpoint.Host, func() error { return w.exchange(request.WithContext(ctx)) })
	if err != nil {
		return fmt.Errorf("post webhook %s to %s: %w", id, endpoint.Host, err)
	}
	return nil
}

// exchange returns an error that says what to do about it.
func (w *Webhooks) exchange(request *http.Request) error {
	response, err := w.client.Do(request)
	if err != nil {
		return without(err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // so that the connection can be used again
	if response.StatusCode/100 == 2 {
		return nil
	}
	err = &answer{status: response.StatusCode, said: string(said[:min(len(said), shownAnswer)])}
	switch status := response.StatusCode; {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		if after := retryAfter(response.Header.Get("Retry-After"), time.Now()); after > 0 {
			return runner.RetryAfter(err, after)
		}
		return err
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly || status >= 500:
		return err
	}
	return runner.Permanent(err) // redirects too: the owner named another address
}

// without takes the URL out of an error of the client: what follows its host
// may be a secret of its owner.
func without(err error) error {
	var refused *forbiddenError
	if errors.As(err, &refused) {
		return runner.Permanent(refused)
	}
	var around *url.Error
	if errors.As(err, &around) {
		return around.Err
	}
	return err
}

// answer is an endpoint's answer that is not a 2xx.
type answer struct {
	status int
	said   string
}

func (e *answer) Error() string {
	return fmt.Sprintf("it answers %d %s: %q", e.status, http.StatusText(e.status), e.said)
}

// sign makes the value of webhook-signature. The secret is base64 after whsec_.
func sign(secret, id string, at time.Time, payload []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(key) == 0 {
		return "", errors.New("the rule's secret is not base64 after " + secretPrefix)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
	mac.Write(payload)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// retryAfter reads the header, in seconds or as a date; 0 when it says nothing.
func retryAfter(text string, now time.Time) time.Duration {
	after := time.Duration(0)
	if seconds, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err == nil {
		after = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		after = at.Sub(now)
	}
	return min(max(after, 0), maxRetryAfter)
}

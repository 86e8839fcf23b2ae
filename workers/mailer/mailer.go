// Package mailer sends the mails that alert rules ask for: one for an alert,
// or one digest of what a person would get too many of in one minute.
//
// Three consumers do it. The first takes the alerts, sends the first few of a
// person's minute, and puts the others into a digest. The second takes the
// ticks of a schedule, and hands on each digest whose minute is over. The third
// sends digests. Each event of each of them is retried and dead-lettered by itself.
package mailer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/workers/runner"
)

// Schedule is the one whose ticks send the digests. The role declares it.
var Schedule = cloud.Schedule{
	Name:   "digests",
	Every:  15 * time.Second,
	Keep:   15 * time.Second, // the next tick sees what this one would have
	Type:   "dev.drydock.schedules.tick",
	Source: source,
}

const (
	source     = "/drydock/mailer"
	typeDigest = "dev.drydock.mail.digest"
	// topicDigests carries the digests that are ready to be sent, from this
	// worker to itself.
	topicDigests = "mail.digests"
	// dependency is how the runner knows the mail server.
	dependency = "smtp"

	defaultDigestAfter = 5
	leastKey           = 16 // bytes

	concurrency = 16
	attempts    = 12
	backoff     = 2 * time.Second
	backoffMax  = 5 * time.Minute

	// keep is how long it is known that a mail was sent.
	keep = 30 * 24 * time.Hour
	// swaps bounds how often a record that changes meanwhile is looked at anew.
	swaps = 200
	// recordTries and recordPause: a mail that was sent should not stay
	// unrecorded because of one failed write.
	recordTries = 5
	recordPause = 200 * time.Millisecond
)

// MaxDigestAfter is the most that Options.DigestAfter may be.
const MaxDigestAfter = 1000

// Options configure a Mailer. All but Templates, DigestAfter, Logger and
// Registerer must be given.
type Options struct {
	Bus    cloud.Bus
	Rules  cloud.Records // the collection contract.AlertsCollection
	Mail   cloud.Records // the collection contract.MailCollection
	Mailer cloud.Mailer

	From string // the sender, as "Drydock <alerts@example.com>"
	// PublicURL is where readers reach the alerts API, and UnsubscribeKey the
	// secret that is shared with it, 16 bytes or more.
	PublicURL      string
	UnsubscribeKey []byte
	// Templates is a folder whose files replace the built-in ones of their
	// names; empty for none.
	Templates string
	// DigestAfter is how many mails a person gets in one minute before the rest
	// of it comes as one digest; 5 when zero, at most 1,000.
	DigestAfter int
	Drain       time.Duration // see runner.Options
	// Subscribed is called once everything that the mailer handles can come; nil
	// tells nobody.
	Subscribed func()

	Logger     *slog.Logger          // slog.Default() when nil
	Registerer prometheus.Registerer // nil counts nothing
}

// Mailer is the worker.
type Mailer struct {
	Options
	templates *templates
	now       func() time.Time
}

// New checks the options. A wrong one is an error that says what it takes.
func New(o Options) (*Mailer, error) {
	if _, err := mail.ParseAddress(o.From); err != nil {
		return nil, fmt.Errorf("make mailer: the sender %q is not an address as \"Drydock <alerts@example.com>\"", o.From)
	}
	u, err := url.Parse(o.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("make mailer: the public URL %q is not one as https://alerts.example.com", o.PublicURL)
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	if len(o.UnsubscribeKey) < leastKey {
		return nil, fmt.Errorf("make mailer: the key of the links to unsubscribe has %d bytes, it takes %d or more", len(o.UnsubscribeKey), leastKey)
	}
	if o.DigestAfter == 0 {
		o.DigestAfter = defaultDigestAfter
	}
	if o.DigestAfter < 1 || o.DigestAfter > MaxDigestAfter {
		return nil, fmt.Errorf("make mailer: a digest after %d mails a minute is not one after 1 to %d", o.DigestAfter, MaxDigestAfter)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	m := &Mailer{Options: o, now: time.Now}
	if m.templates, err = loadTemplates(o.Templates); err != nil {
		return nil, fmt.Errorf("make mailer: %w", err)
	}
	return m, nil
}

// Run sends mails until the context ends, then drains, and returns nil. It
// returns an error when it cannot subscribe.
func (m *Mailer) Run(ctx context.Context) error {
	var metrics *runner.Metrics
	if m.Registerer != nil {
		metrics = runner.NewMetrics(m.Registerer)
	}
	options := runner.Options{
		Bus:         m.Bus,
		Concurrency: concurrency,
		Attempts:    attempts,
		Backoff:     backoff,
		BackoffMax:  backoffMax,
		Drain:       m.Drain,
		Logger:      m.Logger,
		Metrics:     metrics,
	}
	consumers := map[string]struct {
		topic  string
		handle handlerFunc
	}{
		"mailer":         {contract.TopicAllTriggered, m.handleAlert},
		"mailer-ticks":   {cloud.ScheduleTopic(Schedule.Name), m.handleTick},
		"mailer-digests": {topicDigests, m.handleDigest},
	}
	var missing atomic.Int32
	missing.Store(int32(len(consumers)))
	options.Subscribed = func() {
		if missing.Add(-1) == 0 && m.Subscribed != nil {
			m.Subscribed()
		}
	}
	running, ctx := errgroup.WithContext(ctx)
	for name, consumer := range consumers {
		o := options
		o.Name, o.Topic, o.Handler = name, consumer.topic, consumer.handle
		if name != "mailer-ticks" { // ticks need no mail server
			o.Dependencies = []runner.Dependency{{Name: dependency, Check: m.Mailer.Ready}}
		}
		running.Go(func() error { return runner.Run(ctx, o) })
	}
	return running.Wait()
}

// handlerFunc is a runner.Handler that has nobody to tell when it gives up:
// the dead letter says why.
type handlerFunc func(context.Context, cloud.Event) error

// Handle implements runner.Handler.
func (f handlerFunc) Handle(ctx context.Context, event cloud.Event) error { return f(ctx, event) }

// GiveUp implements runner.Handler.
func (f handlerFunc) GiveUp(context.Context, cloud.Event, error) error { return nil }

// handleAlert sends the alert, or puts it into the person's digest.
func (m *Mailer) handleAlert(ctx context.Context, event cloud.Event) error {
	var alert contract.Alert
	if err := json.Unmarshal(event.Data, &alert); err != nil {
		return runner.Permanent(fmt.Errorf("read alert: %w", err))
	}
	if _, ok := contract.AlertTime(alert.ID); !ok {
		return runner.Permanent(fmt.Errorf("read alert: its ID %.80q is none", alert.ID))
	}
	rule, found, err := m.rule(ctx, alert)
	if err != nil || !found {
		return err
	}
	item := item{Alert: alert, Window: rule.Condition.Window, Note: rule.Note}
	done, err := m.settled(ctx, alert.ID, rule.Channel.Address)
	if err != nil || done {
		return err
	}
	digested, err := m.count(ctx, rule.Channel.Address, event.Time, item)
	if err != nil {
		return err
	}
	if digested {
		return m.record(ctx, alert.ID, rule.Channel.Address)
	}
	return m.send(ctx, alert.ID, rule.Channel.Address, "alert", alertData{item.line(), m.unsubscribe(rule.Channel.Address)})
}

// rule reads the alert's rule; found is false when there is nothing to send
// for it, any more or by mail.
func (m *Mailer) rule(ctx context.Context, alert contract.Alert) (rule contract.Rule, found bool, err error) {
	record, err := m.Rules.Get(ctx, contract.RecordKey(alert.Owner, alert.Rule))
	if errors.Is(err, cloud.ErrNotFound) {
		return contract.Rule{}, false, nil
	}
	if errors.Is(err, cloud.ErrInvalid) {
		return contract.Rule{}, false, runner.Permanent(err)
	}
	if err != nil {
		return contract.Rule{}, false, err
	}
	if err := json.Unmarshal(record.Value, &rule); err != nil {
		return contract.Rule{}, false, runner.Permanent(fmt.Errorf("read rule %s: %w", record.Key, err))
	}
	return rule, !rule.Paused && rule.Channel.Kind == contract.Email, nil
}

// sent is what is recorded of a mail that the server took, or of an alert that
// a digest has.
type sent struct {
	To string    `json:"to"`
	At time.Time `json:"at"`
}

func sentKey(id string) string { return "sent/" + id }

// settled tells that there is nothing to send: it was sent before, or the
// address gets no mail.
func (m *Mailer) settled(ctx context.Context, id, address string) (bool, error) {
	for _, key := range []string{sentKey(id), contract.SuppressionKey(address)} {
		_, err := m.Mail.Get(ctx, key)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, cloud.ErrNotFound) {
			return false, err
		}
	}
	return false, nil
}

// record takes note that nothing more is to be done for the ID.
func (m *Mailer) record(ctx context.Context, id, address string) error {
	value, err := json.Marshal(sent{To: address, At: m.now().UTC()})
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		_, err = m.Mail.Put(ctx, sentKey(id), value, 0, keep)
		if err == nil || errors.Is(err, cloud.ErrExists) {
			return nil
		}
		if try == recordTries || !pause(ctx, recordPause) {
			return err
		}
	}
}

// pause returns false when the context has ended meanwhile.
func pause(ctx context.Context, length time.Duration) bool {
	select {
	case <-time.After(length):
		return true
	case <-ctx.Done():
		return false
	}
}

// send renders a mail, hands it to the mail server, and records that. The
// server and the records cannot agree in one step: who is killed after the
// server took the mail and before that is recorded, or loses the connection
// before the server's answer, sends it again. Both have the same Message-ID, by
// which a receiver can tell that they are one; not every receiver does.
func (m *Mailer) send(ctx context.Context, id, address, template string, data any) error {
	subject, text, html, err := m.templates.render(template, data)
	if err != nil {
		return runner.Permanent(err)
	}
	err = m.Mailer.Send(ctx, cloud.Message{
		ID: id, From: m.From, To: address,
		Subject: subject, Text: text, HTML: html,
		Unsubscribe: m.unsubscribe(address),
	})
	if err != nil {
		return m.failed(ctx, address, err)
	}
	return m.record(ctx, id, address)
}

// failed says what becomes of a mail that was not taken. An address that the
// server refuses for good gets no mail any more.
func (m *Mailer) failed(ctx context.Context, address string, err error) error {
	var refused *cloud.MailError
	switch {
	case errors.Is(err, cloud.ErrInvalid):
		return runner.Permanent(err)
	case ctx.Err() != nil:
		return err
	case !errors.As(err, &refused):
		return runner.Unavailable(dependency, err)
	case refused.Permanent && refused.Recipient:
		if err := m.suppress(ctx, address, fmt.Sprintf("%d %s", refused.Code, refused.Words)); err != nil {
			return err
		}
		return runner.Permanent(err)
	case refused.Permanent:
		return runner.Permanent(err)
	case refused.RetryAfter > 0:
		return runner.RetryAfter(err, refused.RetryAfter)
	}
	return err
}

// suppress keeps the reason that is there already.
func (m *Mailer) suppress(ctx context.Context, address, reason string) error {
	value, err := json.Marshal(contract.Suppression{Address: address, Reason: reason, At: m.now().UTC()})
	if err != nil {
		return err
	}
	if _, err := m.Mail.Put(ctx, contract.SuppressionKey(address), value, 0, 0); err != nil && !errors.Is(err, cloud.ErrExists) {
		return err
	}
	m.Logger.Warn("address suppressed", "reason", reason)
	return nil
}

func (m *Mailer) unsubscribe(address string) string {
	return m.PublicURL + contract.PathUnsubscribe + contract.UnsubscribeToken(m.UnsubscribeKey, address)
}

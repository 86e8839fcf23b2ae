// Package alerts is the HTTP API of stock alerts: owners set rules there, list
// and change them, try them on the market's past, and follow what they fire.
// It is also where the readers of its mail unsubscribe.
//
// A rule is one record, and nothing beside the records has to be kept in step
// with them: lists and counts come from an index in memory, which a watch of
// the records feeds and which is built anew at every start. Any number of
// instances may run beside each other. Each knows its own changes at once, and
// those of the others as the watch tells of them; a rule asked for by its id is
// always the record itself.
//
// The program drydock runs it as a role; tests run New, Handler and Run
// against the real providers.
package alerts

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// KeysCollection is the name of the service's own records: the idempotency
// keys of the last day.
const KeysCollection = "alert-keys"

// History is the past of the market.
type History interface {
	// Symbols returns the names of all that is traded.
	Symbols(ctx context.Context) ([]string, error)
	// History yields the quotes of the symbols from one time until another, in
	// their order. An error ends the sequence.
	History(ctx context.Context, symbols []string, from, to time.Time) iter.Seq2[contract.Quote, error]
	// Past is History for long spans, in coarser quotes where there are any.
	Past(ctx context.Context, symbols []string, from, to time.Time) iter.Seq2[contract.Quote, error]
}

// Options are what a Service needs and how it behaves. The first six are
// required; the zero value of everything else means its default.
type Options struct {
	Rules   cloud.Records // the collection contract.AlertsCollection
	Keys    cloud.Records // the collection KeysCollection
	Mail    cloud.Records // the collection contract.MailCollection
	Bus     cloud.Bus     // where alerts are read from
	History History
	// UnsubscribeKey is the secret that the mailer makes its links with.
	UnsubscribeKey []byte

	Logger     *slog.Logger          // slog.Default
	Registerer prometheus.Registerer // where the metrics go; nowhere by default

	MaxRules  int // of one owner: 100,000
	MaxQuotes int // that a dry run reads: 600,000, more than a year of minutes
}

// Service answers the API's requests, and keeps its index while it runs. It is
// safe for concurrent use.
type Service struct {
	options Options
	index   *index
	symbols *symbols
	dryRuns chan struct{} // holds one value for each that goes on
	metrics *metrics
	now     func() time.Time
	owner   func(*http.Request) string
}

// New makes a service. Two services need two Registerers, as their metrics
// have the same names.
func New(options Options) *Service {
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	if options.MaxRules <= 0 {
		options.MaxRules = 100_000
	}
	if options.MaxQuotes <= 0 {
		options.MaxQuotes = 600_000
	}
	s := &Service{
		options: options,
		index:   newIndex(),
		symbols: &symbols{source: options.History.Symbols},
		dryRuns: make(chan struct{}, dryRunsAtOnce),
		now:     time.Now,
		owner:   web.RequestOwner,
	}
	s.metrics = newMetrics(options.Registerer, s.index.size)
	return s
}

// Run keeps the index of the rules until the context ends, and returns nil. It
// runs once. Without it, or before it has read all rules once, rules are
// neither listed nor made, and such requests are answered with 503.
func (s *Service) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := s.follow(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		s.options.Logger.ErrorContext(ctx, "follow rules", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(followAgainAfter):
		}
	}
	return nil
}

// Ready returns nil once the service has read all rules.
func (s *Service) Ready(context.Context) error { return s.index.whole() }

// followAgainAfter is the pause after the rules could not be read.
const followAgainAfter = time.Second

// follow reads all rules, and then each change of one.
func (s *Service) follow(ctx context.Context) error {
	for record, err := range s.options.Rules.List(ctx, "") {
		if err != nil {
			return err
		}
		s.take(ctx, record)
	}
	s.index.loaded()
	for change, err := range s.options.Rules.Watch(ctx, "") {
		switch {
		case err != nil:
			return err
		case change.Deleted:
			s.index.remove(change.Key, change.Revision)
		default:
			s.take(ctx, change.Record)
		}
	}
	return nil
}

// take indexes a record. One that cannot be read is logged and passed over.
func (s *Service) take(ctx context.Context, record cloud.Record) {
	if s.index.knows(record.Key, record.Revision) {
		return
	}
	rule, err := readRule(record)
	if err != nil {
		s.options.Logger.ErrorContext(ctx, "index rule", "error", err)
		return
	}
	s.index.put(rule, record.Revision)
}

// Package deadletters is the HTTP API of dead letters: what consumers gave up,
// with the reason, the errors and the whole event. People find a letter, mend
// its data, send the event again to the consumer that gave it up, or remove it,
// one by one or by a filter.
//
// An event that came back three times is sent again only when that is asked
// for in so many words, so that nothing goes round in silence.
//
// The program drydock runs it as a role, and its command deadletter asks it.
// Any number of instances may run beside each other.
package deadletters

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/drydock/drydock/cloud"
)

// maxRedriven is how often an event is sent again without being asked whether
// that is meant.
const maxRedriven = 3

// Options are what a Service needs. Letters is required.
type Options struct {
	Letters    cloud.DeadLetters
	Logger     *slog.Logger          // slog.Default
	Registerer prometheus.Registerer // where the metrics go; nowhere by default
}

// Service answers the API's requests. It is safe for concurrent use.
type Service struct {
	letters cloud.DeadLetters
	log     *slog.Logger
	changes *prometheus.CounterVec
	now     func() time.Time
}

// Changes that the service counts and logs.
const (
	changeRedriven = "redriven"
	changeEdited   = "edited"
	changeDeleted  = "deleted"
)

// New makes a service. Two services need two Registerers, as their metrics
// have the same names.
func New(options Options) *Service {
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	changes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "drydock_deadletters_changes_total", Help: "Dead letters that people redrove, edited or deleted.",
	}, []string{"change"})
	for _, change := range []string{changeRedriven, changeEdited, changeDeleted} {
		changes.WithLabelValues(change)
	}
	if options.Registerer != nil {
		options.Registerer.MustRegister(changes)
	}
	return &Service{letters: options.Letters, log: options.Logger, changes: changes, now: time.Now}
}

// changed counts a change and leaves a line of what was done to which letter.
func (s *Service) changed(change, id string) {
	s.changes.WithLabelValues(change).Inc()
	s.log.Info("dead letter "+change, "letter", id)
}

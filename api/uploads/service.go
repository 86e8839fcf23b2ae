// Package uploads is the HTTP API of uploads. It signs an upload, which the
// browser then sends straight to the object store, tells how it goes (asked or
// as it happens), signs the downloads, and deletes. No file ever passes
// through it.
//
// Signing writes nothing: an identifier carries its time, the bucket is the
// index, and a record exists only once the images worker has picked an object
// up. An object whose notification was lost is found by the sweep. Any number
// of instances may run beside each other.
//
// The program drydock runs it as a role; tests run New, Handler and Run
// against the real providers.
package uploads

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// Options are what a Service needs and how it behaves. Objects, Records and
// Bus are required; the zero value of everything else means its default.
type Options struct {
	Objects cloud.Objects // the bucket of uploads
	Records cloud.Records // the collection contract.UploadsCollection
	Bus     cloud.Bus     // the sweep publishes contract.TopicObjectsCreated

	Logger     *slog.Logger          // slog.Default
	Registerer prometheus.Registerer // where the metrics go; nowhere by default

	MaxSize      int64         // of an upload in bytes: 64 MiB
	Expiry       time.Duration // of a signed upload: 15 minutes
	LinkValidity time.Duration // of a signed download, at most 7 days: 1 hour
	SweepEvery   time.Duration // 30 seconds
	SweepGrace   time.Duration // how long a notification and each step of the work may take: 2 minutes
}

// late is how long after its link expired an upload may still be under way:
// stores look at the time when an upload begins, not when it ends.
const late = 15 * time.Minute

// Service answers the API's requests, and follows and sweeps while it runs.
// It is safe for concurrent use.
type Service struct {
	options Options
	hub     *hub
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
	if options.MaxSize <= 0 {
		options.MaxSize = 64 << 20
	}
	for _, d := range []struct {
		field    *time.Duration
		standard time.Duration
	}{
		{&options.Expiry, 15 * time.Minute},
		{&options.LinkValidity, time.Hour},
		{&options.SweepEvery, 30 * time.Second},
		{&options.SweepGrace, 2 * time.Minute},
	} {
		if *d.field <= 0 {
			*d.field = d.standard
		}
	}
	return &Service{
		options: options,
		hub:     newHub(),
		metrics: newMetrics(options.Registerer),
		now:     time.Now,
		owner:   web.RequestOwner,
	}
}

// Run tells the open event streams what changes and sweeps, until the context
// ends; then it ends the streams, so that the HTTP server can drain, and
// returns nil. It runs once. Requests are answered without it too, but streams
// stay silent and lost notifications lost.
func (s *Service) Run(ctx context.Context) error {
	defer s.hub.close()
	var both sync.WaitGroup
	both.Go(func() { s.follow(ctx) })
	both.Go(func() { newSweeper(s).run(ctx) })
	both.Wait()
	return nil
}

// expires tells until when an upload that was signed at a time can begin.
func (s *Service) expires(made time.Time) time.Time { return made.Add(s.options.Expiry) }

// identified returns when an identifier was made; ok is false for what this
// API cannot have given out. Clocks of instances may differ by a minute.
func (s *Service) identified(id string) (made time.Time, ok bool) {
	made, ok = contract.UploadTime(id)
	return made.UTC(), ok && !made.After(s.now().Add(time.Minute))
}

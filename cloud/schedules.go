package cloud

import (
	"context"
	"iter"
	"time"
)

// Schedules publish events at declared times. The provider keeps the time:
// no process of ours waits, and none has to be elected.
//
// Schedules is safe for concurrent use. Calls that get no answer end with
// ErrUnavailable.
type Schedules interface {
	// Declare makes the schedule be what is given, whether there was one of its
	// name or not. Declaring the same again changes nothing, not even when the
	// next event comes. What the provider cannot do is ErrInvalid.
	Declare(ctx context.Context, schedule Schedule) error
	// Remove ends a schedule. Removing a missing one is no error.
	Remove(ctx context.Context, name string) error
	// List yields the schedules, in no particular order. An error ends the sequence.
	List(ctx context.Context) iter.Seq2[Schedule, error]

	// Ready returns nil while the provider can be reached, else the reason why not.
	Ready(ctx context.Context) error
	// Close releases the connection; the schedules go on. It may be called twice.
	Close() error
}

// Schedule is a recurring event on the topic "schedules.<name>".
type Schedule struct {
	// Name is [a-z0-9-]{1,32}.
	Name string
	// Every is the pause between two events, in whole seconds; or else Cron
	// says when: six fields with seconds first, or @hourly, @daily, ….
	Every time.Duration
	Cron  string
	// TimeZone is an IANA name that Cron is read in; empty means UTC.
	TimeZone string
	// Keep is how long an event waits for a consumer that is away; it is dropped
	// then, so that what was missed is skipped. Zero keeps every event as long as
	// any other, so that what was missed is caught up. In whole seconds.
	Keep time.Duration
	// Type, Source and Data are those of the events. Their ID is their own, and
	// their Time is when the provider published them: within a second of when
	// they were due. Of those that were due while the provider itself was away
	// at most one comes, when it is back.
	Type, Source string
	Data         []byte
}

// ScheduleTopic is the topic of a schedule's events.
func ScheduleTopic(name string) string { return "schedules." + name }

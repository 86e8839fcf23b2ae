package nats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// The stream "schedules" holds the events on schedules.<name>, and what was
// declared as one message for each schedule on definitions+<name>, a subject
// that no topic reaches.
const (
	schedulesStream = "schedules"
	definitions     = "$DRYDOCK.schedules."

	// headerKeep has Schedule.Keep, if there is one. It comes along with the events.
	headerKeep = "drydock-keep"

	everyPrefix = "@every "
	// longest is the longest Every and Keep. The server counts in nanoseconds, which end in the year 2262.
	longest = 10 * 365 * 24 * time.Hour
	// timeZoneInvalid is the server's code for a zone that it does not know; the client has no name for it.
	timeZoneInvalid jetstream.ErrorCode = 10223
)

// Schedules is a cloud.Schedules on the server's own message schedules, which
// nats-server has since 2.14.
//
// The server takes up its schedules when it comes back from a stop: of the
// events that were due meanwhile it publishes one for each schedule, at once,
// and goes on with the next one. After a crash it may have forgotten what it
// published in its last minutes: then that one may come though none was due, or
// not come, and an interval may count anew from the restart.
type Schedules struct {
	*connection
}

// OpenSchedules connects to the server that the URL names. It fails when the
// context ends before the server answers. The caller closes the schedules.
func OpenSchedules(ctx context.Context, url string) (*Schedules, error) {
	c, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	return &Schedules{connection: c}, nil
}

// Ready implements cloud.Schedules.
func (s *Schedules) Ready(ctx context.Context) error { return s.ready(ctx) }

// Close implements cloud.Schedules.
func (s *Schedules) Close() error {
	s.nc.Close()
	return nil
}

// Declare implements cloud.Schedules. It creates the stream where it is
// missing. Of several that declare different things at once the last one wins.
func (s *Schedules) Declare(ctx context.Context, schedule cloud.Schedule) error {
	err := s.call(ctx, func(ctx context.Context) error { return s.declare(ctx, schedule) })
	if err != nil {
		return fmt.Errorf("declare schedule %.40q: %w", schedule.Name, err)
	}
	return nil
}

func (s *Schedules) declare(ctx context.Context, schedule cloud.Schedule) error {
	definition, err := define(schedule)
	if err != nil {
		return err
	}
	stream, err := s.stream(ctx)
	if err != nil {
		return err
	}
	for {
		var revision uint64
		last, err := stream.GetLastMsgForSubject(ctx, definition.Subject)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
		case err != nil:
			return err
		case same(declared(last), schedule):
			return nil
		default:
			revision = last.Sequence
		}
		_, err = s.js.PublishMsg(ctx, definition, jetstream.WithExpectLastSequencePerSubject(revision))
		if isConflict(err) { // another instance was first: perhaps with the same
			continue
		}
		if impossible(err) {
			return fmt.Errorf("%w: %w", err, cloud.ErrInvalid)
		}
		return err
	}
}

// impossible tells whether the server refuses the schedule itself.
func impossible(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode == jetstream.JSErrCodeSchedulePatternInvalid || api.ErrorCode == timeZoneInvalid
	}
	return errors.Is(err, nats.ErrMaxPayload)
}

// stream returns the stream, made or changed so that it takes schedules: a
// subscriber may have created it as it creates every other.
func (s *Schedules) stream(ctx context.Context) (jetstream.Stream, error) {
	stream, err := s.js.Stream(ctx, schedulesStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = s.js.CreateStream(ctx, forSchedules(jetstream.StreamConfig{
			Name:       schedulesStream,
			Subjects:   []string{cloud.ScheduleTopic(">")},
			Storage:    jetstream.FileStorage,
			Replicas:   s.replicas,
			Duplicates: deduplicate,
		}))
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // a subscriber or another instance was first
			stream, err = s.js.Stream(ctx, schedulesStream)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("find stream %s: %w", schedulesStream, err)
	}
	found := stream.CachedInfo().Config
	if wanted := forSchedules(found); !reflect.DeepEqual(found, wanted) {
		if stream, err = s.js.UpdateStream(ctx, wanted); err != nil {
			return nil, fmt.Errorf("let stream %s have schedules: %w", schedulesStream, err)
		}
	}
	if !stream.CachedInfo().Config.AllowMsgSchedules {
		return nil, fmt.Errorf("the NATS server, version %s, has no message schedules: it takes 2.14 or newer", s.nc.ConnectedServerVersion())
	}
	return stream, nil
}

// forSchedules changes a stream's configuration to what schedules need. The
// stream has no age limit, as a server that starts would apply it to the
// definitions too; the events have their own.
func forSchedules(config jetstream.StreamConfig) jetstream.StreamConfig {
	if !slices.Contains(config.Subjects, definitions+">") {
		config.Subjects = append(slices.Clip(config.Subjects), definitions+">")
	}
	config.MaxAge = 0
	config.AllowMsgTTL = true
	config.AllowMsgSchedules = true
	return config
}

// Remove implements cloud.Schedules.
func (s *Schedules) Remove(ctx context.Context, name string) error {
	if !nameForm().MatchString(name) {
		return fmt.Errorf("remove schedule %.40q: %w", name, errScheduleName)
	}
	err := s.call(ctx, func(ctx context.Context) error {
		stream, err := s.js.Stream(ctx, schedulesStream)
		if err != nil {
			return err
		}
		return stream.Purge(ctx, jetstream.WithPurgeSubject(definitions+name))
	})
	if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("remove schedule %s: %w", name, err)
	}
	return nil
}

// List implements cloud.Schedules.
func (s *Schedules) List(ctx context.Context) iter.Seq2[cloud.Schedule, error] {
	return func(yield func(cloud.Schedule, error) bool) {
		stream, subjects, err := s.subjects(ctx)
		if err != nil {
			yield(cloud.Schedule{}, fmt.Errorf("list schedules: %w", err))
			return
		}
		for subject := range subjects {
			var definition *jetstream.RawStreamMsg
			err := s.call(ctx, func(ctx context.Context) (err error) {
				definition, err = stream.GetLastMsgForSubject(ctx, subject)
				return err
			})
			if errors.Is(err, jetstream.ErrMsgNotFound) { // removed meanwhile
				continue
			}
			if err != nil {
				yield(cloud.Schedule{}, fmt.Errorf("list schedules: read %s: %w", subject, err))
				return
			}
			if !yield(declared(definition), nil) {
				return
			}
		}
	}
}

// subjects finds where the definitions are; nowhere when there is no stream yet.
func (s *Schedules) subjects(ctx context.Context) (stream jetstream.Stream, subjects map[string]uint64, err error) {
	err = s.call(ctx, func(ctx context.Context) error {
		if stream, err = s.js.Stream(ctx, schedulesStream); err != nil {
			return err
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(definitions+">"))
		if err == nil {
			subjects = info.State.Subjects
		}
		return err
	})
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = nil
	}
	return stream, subjects, err
}

var (
	// cronForm and zoneForm are what a header can hold; the server reads the rest.
	cronForm = regexp.MustCompile(`^(@[a-z]+|[0-9A-Za-z*?/,-]+( [0-9A-Za-z*?/,-]+){5})$`)
	zoneForm = regexp.MustCompile(`^[0-9A-Za-z/_+-]*$`)

	errScheduleName = fmt.Errorf("the name is not 1 to 32 of a-z, 0-9 and -: %w", cloud.ErrInvalid)
)

const maxPattern = 200 // bytes of Cron and of TimeZone

// define makes the message that declares a schedule. The server copies it, but
// for its own headers, to the topic each time; an event has no ID and Time
// there, so that its place in the stream gives it both.
func define(s cloud.Schedule) (*nats.Msg, error) {
	if err := check(s); err != nil {
		return nil, err
	}
	message, err := encode(definitions+s.Name, cloud.Event{ID: s.Name, Source: s.Source, Type: s.Type, Data: s.Data})
	if err != nil {
		return nil, err
	}
	for _, own := range []string{headerID, headerTime, jetstream.MsgIDHeader} {
		message.Header.Del(own)
	}
	pattern, keep := s.Cron, keepEvents
	if s.Every > 0 {
		pattern = everyPrefix + s.Every.String()
	}
	if s.Keep > 0 {
		keep = s.Keep
		message.Header.Set(headerKeep, keep.String())
	}
	message.Header.Set(jetstream.ScheduleHeader, pattern)
	message.Header.Set(jetstream.ScheduleTargetHeader, cloud.ScheduleTopic(s.Name))
	message.Header.Set(jetstream.ScheduleTTLHeader, keep.String())
	if s.TimeZone != "" {
		message.Header.Set(jetstream.ScheduleTimeZoneHeader, s.TimeZone)
	}
	return message, nil
}

// check refuses what the server cannot do, as far as that can be told from here.
func check(s cloud.Schedule) error {
	switch {
	case !nameForm().MatchString(s.Name):
		return errScheduleName
	case (s.Every != 0) == (s.Cron != ""):
		return fmt.Errorf("it takes one of Every and Cron: %w", cloud.ErrInvalid)
	case s.Every != 0 && !wholeSeconds(s.Every):
		return fmt.Errorf("every %v is not a whole number of seconds from 1s to %v: %w", s.Every, longest, cloud.ErrInvalid)
	case s.Every != 0 && s.TimeZone != "":
		return fmt.Errorf("a time zone is for Cron only: %w", cloud.ErrInvalid)
	case s.Cron != "" && (len(s.Cron) > maxPattern || !cronForm.MatchString(s.Cron)):
		return fmt.Errorf("cron %.40q is neither six fields, seconds first, nor one of @hourly, @daily, @weekly, @monthly and @yearly: %w", s.Cron, cloud.ErrInvalid)
	case len(s.TimeZone) > maxPattern || !zoneForm.MatchString(s.TimeZone) || s.TimeZone == "Local":
		return fmt.Errorf("time zone %.40q is not an IANA name: %w", s.TimeZone, cloud.ErrInvalid)
	case s.Keep != 0 && !wholeSeconds(s.Keep):
		return fmt.Errorf("keeping an event for %v is not a whole number of seconds from 1s to %v: %w", s.Keep, longest, cloud.ErrInvalid)
	}
	return nil
}

func wholeSeconds(d time.Duration) bool {
	return d >= time.Second && d <= longest && d%time.Second == 0
}

// declared reads back what define wrote.
func declared(definition *jetstream.RawStreamMsg) cloud.Schedule {
	header := definition.Header
	s := cloud.Schedule{
		Name:     strings.TrimPrefix(definition.Subject, definitions),
		TimeZone: header.Get(jetstream.ScheduleTimeZoneHeader),
		Type:     unescape(header.Get(headerType)),
		Source:   unescape(header.Get(headerSource)),
		Data:     definition.Data,
	}
	s.Keep, _ = time.ParseDuration(header.Get(headerKeep)) // zero when there is none
	pattern := header.Get(jetstream.ScheduleHeader)
	if every, ok := strings.CutPrefix(pattern, everyPrefix); ok {
		s.Every, _ = time.ParseDuration(every)
	} else {
		s.Cron = pattern
	}
	return s
}

// same tells whether two schedules are the same; no data and empty data are.
func same(a, b cloud.Schedule) bool {
	equal := bytes.Equal(a.Data, b.Data)
	a.Data, b.Data = nil, nil
	return equal && reflect.DeepEqual(a, b)
}

package nats

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

const (
	// A Read asks for readAhead messages, and for as many more whenever half of
	// them have come. For each time it asks the server sends no more bytes than
	// the largest message has, 1 MiB by default. So there are at most 1.5 MiB on
	// their way, and for 32 readers less than the 64 MiB behind which a server
	// takes a connection for dead.
	readAhead = 1024
	// readPause is the pause before a Read that lost its place tries again.
	readPause = 250 * time.Millisecond
	// The server forgets a reader that has been away for readerAway: soon, as it
	// takes no more than 1,000 consumers on a stream, and readers that are killed
	// leave theirs behind. One that stops says so, and waits for the answer up
	// to readerLeave.
	readerAway  = 5 * time.Second
	readerLeave = time.Second
)

// Read implements cloud.Bus. Each reader is a consumer on the server that
// keeps nothing and acknowledges nothing; when it is lost, or a message on its
// way is, a new one goes on after the last event. A missing stream is created.
// One that was removed and made anew, or that is not as far as the position to
// begin after, is read from its beginning.
func (b *Bus) Read(ctx context.Context, topic string, from cloud.Start) iter.Seq2[cloud.Entry, error] {
	return func(yield func(cloud.Entry, error) bool) {
		if err := checkFilter(topic); err != nil {
			yield(cloud.Entry{}, fmt.Errorf("read: %w", err))
			return
		}
		stream, _, _ := strings.Cut(topic, ".")
		r := reader{bus: b, stream: stream, topic: topic, after: uint64(from.After), published: from.Published, yield: yield}
		if from.After == 0 {
			r.since = from.Since
		}
		for r.follow(ctx) {
			select {
			case <-time.After(readPause):
			case <-ctx.Done():
				return
			}
			if b.nc.IsClosed() {
				yield(cloud.Entry{}, fmt.Errorf("read %s: %w", topic, nats.ErrConnectionClosed))
				return
			}
		}
	}
}

// reader is one Read.
type reader struct {
	bus           *Bus
	stream, topic string
	created       time.Time // of the stream that was read last; zero when there was none
	after         uint64    // position of the last event; zero when there was none
	published     time.Time // of that event or a later one; zero when that is not known
	since         time.Time
	yield         func(cloud.Entry, error) bool
}

// follow yields what one consumer delivers. It returns true when a new
// consumer is to go on, false when nobody wants more.
func (r *reader) follow(ctx context.Context) bool {
	nc := r.bus.nc
	var consumer jetstream.Consumer
	err := r.bus.call(ctx, func(ctx context.Context) (err error) {
		consumer, err = r.open(ctx)
		return err
	})
	var refused *jetstream.APIError
	if errors.As(err, &refused) && refused.Code == http.StatusBadRequest {
		r.yield(cloud.Entry{}, fmt.Errorf("read %s: %w", r.topic, err))
		return false
	}
	if err != nil {
		return ctx.Err() == nil
	}
	defer r.leave(consumer)
	p, err := openPull(nc, r.stream, consumer.CachedInfo().Name, 2*readAhead)
	if err != nil {
		return true
	}
	defer func() {
		nc.RemoveStatusListener(p.reconnected)
		_ = p.subscription.Unsubscribe() // fails when the connection is closed, and it is gone then
	}()
	bytes := int(nc.MaxPayload()) + overhead // room for the largest message
	for expected := uint64(1); ctx.Err() == nil; {
		if p.owed <= readAhead/2 {
			if err := p.ask(readAhead, bytes); err != nil {
				return true
			}
		}
		message, err := p.next(ctx, nil)
		if err != nil {
			return ctx.Err() == nil
		}
		if isStatus(message) {
			count, err := ended(message)
			if err != nil {
				return true
			}
			p.owed -= count
			continue
		}
		p.owed--
		place, err := placeOf(message)
		if err != nil || place.Sequence.Consumer != expected { // one was lost on its way
			return true
		}
		expected++
		r.after = place.Sequence.Stream
		if place.Timestamp.Before(r.since) || isRedrive(message.Subject) {
			continue
		}
		entry := cloud.Entry{
			Event:     decode(message.Subject, message.Header, message.Data, place),
			Topic:     message.Subject,
			Position:  cloud.Position(r.after),
			Published: place.Timestamp,
		}
		if !r.yield(entry, nil) {
			return false
		}
	}
	return false
}

// placeOf reads a message's place in its stream and in its consumer.
func placeOf(message *nats.Msg) (*jetstream.MsgMetadata, error) {
	place, err := message.Metadata()
	if err != nil {
		return nil, err
	}
	return &jetstream.MsgMetadata{
		Sequence:  jetstream.SequencePair(place.Sequence),
		Timestamp: place.Timestamp,
		Stream:    place.Stream,
	}, nil
}

// open makes a consumer that begins after the last event.
func (r *reader) open(ctx context.Context) (jetstream.Consumer, error) {
	stream, err := r.bus.openStream(ctx, r.stream)
	if err != nil {
		return nil, err
	}
	info := stream.CachedInfo()
	another := !r.created.IsZero() && !info.Created.Equal(r.created) ||
		!r.published.IsZero() && info.Created.After(r.published)
	if another || info.State.LastSeq < r.after {
		r.after = 0
	}
	r.created, r.published = info.Created, time.Time{}
	config := jetstream.ConsumerConfig{
		FilterSubject:     r.topic,
		AckPolicy:         jetstream.AckNonePolicy,
		DeliverPolicy:     jetstream.DeliverAllPolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: readerAway,
	}
	switch {
	case r.after > 0:
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.after+1
	case !r.since.IsZero():
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &r.since
	}
	return stream.CreateConsumer(ctx, config)
}

// leave removes a consumer, so that the server need not wait for it.
func (r *reader) leave(consumer jetstream.Consumer) {
	if !r.bus.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), readerLeave)
	defer cancel()
	_ = r.bus.js.DeleteConsumer(ctx, r.stream, consumer.CachedInfo().Name) // else the server forgets it by itself
}

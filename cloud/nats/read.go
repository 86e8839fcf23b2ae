package nats

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// Read implements cloud.Bus by an ordered consumer, which is made anew after
// the last event whenever it is lost.
func (b *Bus) Read(ctx context.Context, topic string, from cloud.Start) iter.Seq2[cloud.Entry, error] {
	return func(yield func(cloud.Entry, error) bool) {
		if err := checkFilter(topic); err != nil {
			yield(cloud.Entry{}, fmt.Errorf("read: %w", err))
			return
		}
		stream, _, _ := strings.Cut(topic, ".")
		for goOn := true; goOn && ctx.Err() == nil; {
			goOn = b.follow(ctx, stream, topic, &from, yield)
			if goOn {
				select {
				case <-time.After(reopenWait):
				case <-ctx.Done():
				}
			}
		}
		if err := ctx.Err(); err != nil {
			return
		}
	}
}

// follow yields what one ordered consumer delivers; false when nobody wants more.
func (b *Bus) follow(ctx context.Context, stream, topic string, from *cloud.Start, yield func(cloud.Entry, error) bool) bool {
	if err := b.Declare(ctx, stream); err != nil {
		return true
	}
	config := jetstream.OrderedConsumerConfig{FilterSubjects: []string{topic}}
	switch {
	case from.After > 0:
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, uint64(from.After)+1
	case !from.Since.IsZero():
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &from.Since
	}
	ordered, err := b.js.OrderedConsumer(ctx, stream, config)
	if err != nil {
		return true
	}
	messages, err := ordered.Messages()
	if err != nil {
		return true
	}
	defer messages.Stop()
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return ctx.Err() == nil
		}
		place, err := message.Metadata()
		if err != nil {
			return yield(cloud.Entry{}, fmt.Errorf("read %s: %w", topic, err)) && false
		}
		from.After = cloud.Position(place.Sequence.Stream)
		entry := cloud.Entry{
			Event:     decode(message.Subject(), message.Headers(), message.Data(), place),
			Topic:     message.Subject(),
			Position:  from.After,
			Published: place.Timestamp,
		}
		if !yield(entry, nil) {
			return false
		}
	}
}

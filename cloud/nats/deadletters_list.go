package nats

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

const (
	// A List has up to listAhead letters in memory before they are asked for,
	// which the server sends in pieces of at most listAheadBytes.
	listAhead      = 256
	listAheadBytes = 8 << 20
	// listPause is how long a List waits for a letter before it asks whether
	// there is one left: others may have been removed meanwhile.
	listPause = 250 * time.Millisecond
)

// List implements cloud.DeadLetters. One that pauses for minutes between two
// letters may end with an error.
func (d *DeadLetters) List(ctx context.Context, filter cloud.LetterFilter) iter.Seq2[cloud.Letter, error] {
	return func(yield func(cloud.Letter, error) bool) {
		subject, err := letterSubjects(filter)
		if err != nil {
			yield(cloud.Letter{}, fmt.Errorf("list dead letters: %w", err))
			return
		}
		wanted := true
		err = d.whileConnected(ctx, func(ctx context.Context) error {
			return d.scan(ctx, subject, filter, func(message *jetstream.RawStreamMsg) bool {
				if letter, ok := decodeLetter(message); ok && selects(filter, letter) {
					wanted = yield(letter, nil)
				}
				return wanted
			})
		})
		if err != nil && wanted {
			yield(cloud.Letter{}, fmt.Errorf("list dead letters: %w", err))
		}
	}
}

// letterSubjects selects the letters of a stream and a consumer.
func letterSubjects(filter cloud.LetterFilter) (string, error) {
	words := []string{deadLettersStream, "*", "*", "*"}
	if filter.Stream != "" {
		if !wordForm.MatchString(filter.Stream) {
			return "", fmt.Errorf("stream %.40q is not made of letters, digits, - and _: %w", filter.Stream, cloud.ErrInvalid)
		}
		words[1] = filter.Stream
	}
	if filter.Consumer != "" {
		if !nameForm().MatchString(filter.Consumer) {
			return "", fmt.Errorf("consumer %.40q is not 1 to 32 of a-z, 0-9 and -: %w", filter.Consumer, cloud.ErrInvalid)
		}
		words[2] = filter.Consumer
	}
	return strings.Join(words, "."), nil
}

// selects tells whether a filter lets through a letter of the right stream and consumer.
func selects(filter cloud.LetterFilter, letter cloud.Letter) bool {
	if !filter.Before.IsZero() && !letter.At.Before(filter.Before) ||
		!filter.After.IsZero() && !letter.At.After(filter.After) {
		return false
	}
	part := strings.ToLower(filter.Reason)
	return slices.ContainsFunc([]string{letter.Reason, letter.First, letter.Last}, func(text string) bool {
		return strings.Contains(strings.ToLower(text), part)
	})
}

// scan hands on the messages that are there now, until one is not taken.
func (d *DeadLetters) scan(ctx context.Context, subject string, filter cloud.LetterFilter, take func(*jetstream.RawStreamMsg) bool) error {
	consumer, last, err := d.begin(ctx, subject, filter.Beyond)
	if err != nil || consumer == nil {
		return err
	}
	defer d.forget(consumer)
	messages, err := consumer.Messages(
		jetstream.PullMaxMessagesWithBytesLimit(listAhead, max(listAheadBytes, int(d.nc.MaxPayload()))),
		jetstream.PullHeartbeat(heartbeat),
		jetstream.WithMessagesErrOnMissingHeartbeat(true),
	)
	if err != nil {
		return err
	}
	defer messages.Stop()

	left := consumer.CachedInfo().NumPending
	for taken := uint64(0); left > 0; {
		message, err := messages.Next(jetstream.NextMaxWait(listPause))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, nats.ErrTimeout) {
			err := d.call(ctx, func(ctx context.Context) error {
				info, err := consumer.Info(ctx)
				if err == nil && info.Delivered.Consumer == taken {
					left = info.NumPending
				}
				return err
			})
			if err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		place, err := message.Metadata()
		if err != nil {
			return err
		}
		if taken++; place.Sequence.Consumer != taken {
			return errors.New("a letter was lost on its way from the server: try again")
		}
		if place.Sequence.Stream > last || !take(&jetstream.RawStreamMsg{
			Subject: message.Subject(), Sequence: place.Sequence.Stream,
			Header: message.Headers(), Data: message.Data(), Time: place.Timestamp,
		}) {
			return nil
		}
		left = place.NumPending
	}
	return nil
}

// begin makes the consumer of a scan and returns the last place that was taken
// then. There is no consumer when nothing is beyond.
func (d *DeadLetters) begin(ctx context.Context, subject string, beyond uint64) (consumer jetstream.Consumer, last uint64, err error) {
	err = d.call(ctx, func(ctx context.Context) error {
		info, err := d.stream.Info(ctx)
		if err != nil {
			return err
		}
		if last = info.State.LastSeq; beyond >= last {
			return nil
		}
		consumer, err = d.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
			FilterSubject:     subject,
			AckPolicy:         jetstream.AckNonePolicy,
			DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
			OptStartSeq:       beyond + 1,
			MemoryStorage:     true,
			Replicas:          1,
			InactiveThreshold: readerAway,
		})
		return err
	})
	return consumer, last, err
}

// forget removes a consumer, so that the server need not wait for it.
func (d *DeadLetters) forget(consumer jetstream.Consumer) {
	if !d.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), readerLeave)
	defer cancel()
	_ = d.stream.DeleteConsumer(ctx, consumer.CachedInfo().Name) // else the server forgets it by itself
}

package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// DeadLetters is cloud.DeadLetters on the stream deadletters. A letter's
// revision is its message's place in the stream.
type DeadLetters struct {
	*connection
	stream jetstream.Stream
}

// OpenDeadLetters connects to the server that the URL names, and creates the
// stream of letters where it is missing. It fails when the context ends before
// the server answers. The caller closes the letters.
func OpenDeadLetters(ctx context.Context, url string) (*DeadLetters, error) {
	c, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	stream, err := c.openLetters(ctx)
	if err != nil {
		c.nc.Close()
		return nil, fmt.Errorf("open dead letters: %w", err)
	}
	return &DeadLetters{connection: c, stream: stream}, nil
}

// Ready implements cloud.DeadLetters.
func (d *DeadLetters) Ready(ctx context.Context) error { return d.ready(ctx) }

// Close implements cloud.DeadLetters.
func (d *DeadLetters) Close() error {
	d.nc.Close()
	return nil
}

// Get implements cloud.DeadLetters.
func (d *DeadLetters) Get(ctx context.Context, id string) (cloud.Letter, error) {
	var letter cloud.Letter
	err := d.call(ctx, func(ctx context.Context) (err error) {
		_, letter, err = d.find(ctx, id)
		return err
	})
	if err != nil {
		return cloud.Letter{}, fmt.Errorf("get dead letter %.100s: %w", id, err)
	}
	return letter, nil
}

// find reads a letter and its message.
func (d *DeadLetters) find(ctx context.Context, id string) (*jetstream.RawStreamMsg, cloud.Letter, error) {
	if !letterForm().MatchString(id) {
		return nil, cloud.Letter{}, cloud.ErrNotFound // no letter can have that ID
	}
	message, err := d.stream.GetLastMsgForSubject(ctx, deadLettersStream+"."+id)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		err = cloud.ErrNotFound
	}
	if err != nil {
		return nil, cloud.Letter{}, err
	}
	letter, _ := decodeLetter(message)
	return message, letter, nil
}

// findAt is find, for those who know a revision.
func (d *DeadLetters) findAt(ctx context.Context, id string, revision uint64) (*jetstream.RawStreamMsg, cloud.Letter, error) {
	message, letter, err := d.find(ctx, id)
	if err == nil && letter.Revision != revision {
		err = fmt.Errorf("it is at revision %d, not %d: %w", letter.Revision, revision, cloud.ErrConflict)
	}
	return message, letter, err
}

// Edit implements cloud.DeadLetters.
func (d *DeadLetters) Edit(ctx context.Context, id string, revision uint64, data []byte) error {
	err := d.call(ctx, func(ctx context.Context) error { return d.edit(ctx, id, revision, data) })
	if err != nil {
		return fmt.Errorf("edit dead letter %.100s: %w", id, err)
	}
	return nil
}

func (d *DeadLetters) edit(ctx context.Context, id string, revision uint64, data []byte) error {
	message, letter, err := d.findAt(ctx, id, revision)
	if err != nil {
		return err
	}
	edited := encodeEdit(message, letter, data, time.Now())
	limit := d.nc.MaxPayload() - letterRoom // as the event may come back once more
	if limit > 0 && len(data) > len(message.Data) && int64(edited.Size()) > limit {
		return fmt.Errorf("with its %d bytes and headers it would be more than %d bytes: %w", len(data), limit, cloud.ErrInvalid)
	}
	_, err = d.js.PublishMsg(ctx, edited, jetstream.WithExpectLastSequencePerSubject(revision))
	if isConflict(err) {
		err = cloud.ErrConflict
	}
	return err
}

// Redrive implements cloud.DeadLetters. It is refused when there is no such
// consumer any more, as nobody would ever see the event.
func (d *DeadLetters) Redrive(ctx context.Context, id string, revision uint64) error {
	err := d.call(ctx, func(ctx context.Context) error { return d.redrive(ctx, id, revision) })
	if err != nil {
		return fmt.Errorf("redrive dead letter %.100s: %w", id, err)
	}
	return nil
}

func (d *DeadLetters) redrive(ctx context.Context, id string, revision uint64) error {
	message, letter, err := d.findAt(ctx, id, revision)
	if err != nil {
		return err
	}
	if err := d.checkReader(ctx, letter); err != nil {
		return err
	}
	_, err = d.js.PublishMsg(ctx, encodeRedrive(message, letter, time.Now()), jetstream.WithExpectStream(letter.Stream))
	if err != nil {
		return err
	}
	return d.remove(ctx, letter)
}

// checkReader tells whether the consumer is there and looks where the events
// that are sent to it again go.
func (d *DeadLetters) checkReader(ctx context.Context, letter cloud.Letter) error {
	consumer, err := d.js.Consumer(ctx, letter.Stream, letter.Consumer)
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("stream %s has no consumer %s any more; start it, or delete the letter: %w", letter.Stream, letter.Consumer, cloud.ErrInvalid)
	}
	if err != nil {
		return err
	}
	config := consumer.CachedInfo().Config
	subject := redriveSubject(letter.Stream, letter.Consumer)
	for _, filter := range append(config.FilterSubjects, config.FilterSubject) {
		prefix, wide := strings.CutSuffix(filter, ">")
		if filter == subject || wide && strings.HasPrefix(subject, prefix) {
			return nil
		}
	}
	return fmt.Errorf("consumer %s does not read %s; start its newest version: %w", letter.Consumer, subject, cloud.ErrInvalid)
}

// remove takes away a letter at its revision; one that was edited meanwhile stays.
func (d *DeadLetters) remove(ctx context.Context, letter cloud.Letter) error {
	err := d.stream.DeleteMsg(ctx, letter.Revision)
	if err == nil {
		return nil
	}
	switch _, _, missing := d.find(ctx, letter.ID); {
	case errors.Is(missing, cloud.ErrNotFound): // somebody else removed it
		return nil
	case missing != nil:
		return missing
	}
	return fmt.Errorf("it was sent, and stays as it was edited meanwhile: %w: %w", cloud.ErrConflict, err)
}

// Delete implements cloud.DeadLetters.
func (d *DeadLetters) Delete(ctx context.Context, id string) error {
	if !letterForm().MatchString(id) {
		return nil // no letter can have that ID
	}
	err := d.call(ctx, func(ctx context.Context) error {
		return d.stream.Purge(ctx, jetstream.WithPurgeSubject(deadLettersStream+"."+id))
	})
	if err != nil {
		return fmt.Errorf("delete dead letter %s: %w", id, err)
	}
	return nil
}

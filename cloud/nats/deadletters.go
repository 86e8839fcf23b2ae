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

// lettersConfig is the stream of letters: one message for each, kept until
// somebody removes it, so that publishing another replaces it in one step.
func lettersConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              deadLettersStream,
		Subjects:          []string{deadLettersStream + ".>"},
		Storage:           jetstream.FileStorage,
		Replicas:          replicas,
		MaxMsgsPerSubject: 1,
		Duplicates:        deduplicate,
		AllowDirect:       true,
	}
}

// openLetters finds or makes the stream. One of an earlier version, which kept
// all letters of a consumer on one subject, is brought into shape.
func (c *connection) openLetters(ctx context.Context) (jetstream.Stream, error) {
	stream, err := c.js.Stream(ctx, deadLettersStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = c.js.CreateStream(ctx, lettersConfig(c.replicas))
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another instance was first
			stream, err = c.js.Stream(ctx, deadLettersStream)
		}
	}
	if err != nil {
		return nil, err
	}
	config := stream.CachedInfo().Config
	if config.MaxMsgsPerSubject == 1 && config.MaxAge == 0 && config.AllowDirect {
		return stream, nil
	}
	if err := c.moveLetters(ctx, stream); err != nil {
		return nil, fmt.Errorf("give each letter of an earlier version its subject: %w", err)
	}
	config.MaxMsgsPerSubject, config.MaxAge, config.AllowDirect = 1, 0, true
	return c.js.UpdateStream(ctx, config)
}

// moveLetters gives each letter on "deadletters.<stream>.<consumer>" a subject
// of its own, before the stream keeps only one message for each subject.
func (c *connection) moveLetters(ctx context.Context, stream jetstream.Stream) error {
	for {
		old, err := stream.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(deadLettersStream+".*.*"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		moved := nats.NewMsg(old.Subject + "." + old.Header.Get(headerSequence))
		moved.Data = old.Data
		moved.Header = lasting(old.Header)
		moved.Header.Set(headerAt, old.Time.UTC().Format(time.RFC3339Nano))
		if _, err := c.js.PublishMsg(ctx, moved); err != nil {
			return err
		}
		if err := stream.DeleteMsg(ctx, old.Sequence); err != nil {
			return err
		}
	}
}

// Ready implements cloud.DeadLetters.
func (d *DeadLetters) Ready(ctx context.Context) error { return d.ready(ctx) }

// Close implements cloud.DeadLetters.
func (d *DeadLetters) Close() error {
	d.nc.Close()
	return nil
}

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
		err = d.scan(ctx, subject, filter, func(message *jetstream.RawStreamMsg) bool {
			if letter, ok := decodeLetter(message); ok && selects(filter, letter) {
				wanted = yield(letter, nil)
			}
			return wanted
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
		if !nameForm.MatchString(filter.Consumer) {
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
	info, err := d.stream.Info(ctx)
	if err != nil {
		return err
	}
	last := info.State.LastSeq
	if filter.Beyond >= last {
		return nil
	}
	config := jetstream.ConsumerConfig{
		FilterSubject:     subject,
		AckPolicy:         jetstream.AckNonePolicy,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       filter.Beyond + 1,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: readerAway,
	}
	consumer, err := d.stream.CreateConsumer(ctx, config)
	if err != nil {
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
			info, err := consumer.Info(ctx)
			if err != nil {
				return err
			}
			if info.Delivered.Consumer == taken {
				left = info.NumPending
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

// forget removes a consumer, so that the server need not wait for it.
func (d *DeadLetters) forget(consumer jetstream.Consumer) {
	if !d.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), readerLeave)
	defer cancel()
	_ = d.stream.DeleteConsumer(ctx, consumer.CachedInfo().Name) // else the server forgets it by itself
}

// Get implements cloud.DeadLetters.
func (d *DeadLetters) Get(ctx context.Context, id string) (cloud.Letter, error) {
	_, letter, err := d.find(ctx, id)
	if err != nil {
		return cloud.Letter{}, fmt.Errorf("get dead letter %.100s: %w", id, err)
	}
	return letter, nil
}

// find reads a letter and its message.
func (d *DeadLetters) find(ctx context.Context, id string) (*jetstream.RawStreamMsg, cloud.Letter, error) {
	if !letterForm.MatchString(id) {
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
	message, letter, err := d.findAt(ctx, id, revision)
	if err != nil {
		return fmt.Errorf("edit dead letter %.100s: %w", id, err)
	}
	edited := encodeEdit(message, letter, data, time.Now())
	limit := d.nc.MaxPayload() - letterRoom // as the event may come back once more
	if limit > 0 && len(data) > len(message.Data) && int64(edited.Size()) > limit {
		return fmt.Errorf("edit dead letter %s: with its %d bytes and headers it would be more than %d bytes: %w", id, len(data), limit, cloud.ErrInvalid)
	}
	_, err = d.js.PublishMsg(ctx, edited, jetstream.WithExpectLastSequencePerSubject(revision))
	if isConflict(err) {
		err = cloud.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("edit dead letter %s: %w", id, err)
	}
	return nil
}

// Redrive implements cloud.DeadLetters. It is refused when there is no such
// consumer any more, as nobody would ever see the event.
func (d *DeadLetters) Redrive(ctx context.Context, id string, revision uint64) error {
	message, letter, err := d.findAt(ctx, id, revision)
	if err == nil {
		err = d.checkReader(ctx, letter)
	}
	if err == nil {
		_, err = d.js.PublishMsg(ctx, encodeRedrive(message, letter, time.Now()), jetstream.WithExpectStream(letter.Stream))
	}
	if err == nil {
		err = d.remove(ctx, letter)
	}
	if err != nil {
		return fmt.Errorf("redrive dead letter %.100s: %w", id, err)
	}
	return nil
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
	if !letterForm.MatchString(id) {
		return nil // no letter can have that ID
	}
	if err := d.stream.Purge(ctx, jetstream.WithPurgeSubject(deadLettersStream+"."+id)); err != nil {
		return fmt.Errorf("delete dead letter %s: %w", id, err)
	}
	return nil
}

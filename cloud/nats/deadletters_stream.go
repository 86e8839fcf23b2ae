package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

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
func (c *connection) openLetters(ctx context.Context) (stream jetstream.Stream, err error) {
	err = c.call(ctx, func(ctx context.Context) (err error) {
		stream, err = c.js.Stream(ctx, deadLettersStream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			stream, err = c.js.CreateStream(ctx, lettersConfig(c.replicas))
			if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another instance was first
				stream, err = c.js.Stream(ctx, deadLettersStream)
			}
		}
		return err
	})
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
	err = c.call(ctx, func(ctx context.Context) (err error) {
		stream, err = c.js.UpdateStream(ctx, config)
		return err
	})
	return stream, err
}

// moveLetters gives each letter on "deadletters.<stream>.<consumer>" a subject
// of its own, before the stream keeps only one message for each subject.
func (c *connection) moveLetters(ctx context.Context, stream jetstream.Stream) error {
	for {
		err := c.call(ctx, func(ctx context.Context) error { return c.moveLetter(ctx, stream) })
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// moveLetter moves the oldest one; jetstream.ErrMsgNotFound when there is none left.
func (c *connection) moveLetter(ctx context.Context, stream jetstream.Stream) error {
	old, err := stream.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(deadLettersStream+".*.*"))
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
	return stream.DeleteMsg(ctx, old.Sequence)
}

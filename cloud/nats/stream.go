package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// removalWait is how long a stream that is gone is not made anew. The server
// gives its name away before it has removed its files, and removes those of a
// new stream of that name with them.
const removalWait = 3 * time.Second

// openStream asks the server for the stream of that name, and makes it where it
// is missing.
func (b *Bus) openStream(ctx context.Context, name string) (jetstream.Stream, error) {
	stream, err := b.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) && b.seen(name) {
		select {
		case <-time.After(removalWait):
			stream, err = b.js.Stream(ctx, name)
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = b.js.CreateStream(ctx, b.streamConfig(name))
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another instance was first
			stream, err = b.js.Stream(ctx, name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("find stream %s: %w", name, err)
	}
	b.mu.Lock()
	b.streams[name] = true
	b.mu.Unlock()
	return stream, nil
}

func (b *Bus) streamConfig(name string) jetstream.StreamConfig {
	if name == deadLettersStream {
		return lettersConfig(b.replicas)
	}
	return jetstream.StreamConfig{
		Name:       name,
		Subjects:   []string{name + ".>"},
		Storage:    jetstream.FileStorage,
		Replicas:   b.replicas,
		MaxAge:     keepEvents,
		Duplicates: cmp.Or(deduplicateIn[name], deduplicate),
	}
}

// seen tells whether the stream of that name was there once.
func (b *Bus) seen(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.streams[name]
}

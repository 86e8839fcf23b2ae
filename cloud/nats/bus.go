package nats

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// Streams that this package creates keep events for a week and drop a second
// event of the same ID for ten minutes, longer than a delivery with all its
// attempts takes. Dead letters are kept until somebody removes them.
const (
	keepEvents        = 7 * 24 * time.Hour
	deduplicate       = 10 * time.Minute
	deadLettersStream = "deadletters"
)

// deduplicateIn are the streams with a longer window. Who fires alerts may be
// down for hours between publishing one and noting that it did.
var deduplicateIn = map[string]time.Duration{"alerts": 24 * time.Hour}

// Bus is a cloud.Bus on JetStream. The stream of a topic is named by the
// topic's first word, holds every topic that begins with it, and is created
// where it is missing.
type Bus struct {
	*connection

	mu      sync.Mutex
	streams map[string]bool // that were seen
}

// OpenBus connects to the server that the URL names. It fails when the context
// ends before the server answers. The caller closes the bus.
func OpenBus(ctx context.Context, url string) (*Bus, error) {
	c, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	return &Bus{connection: c, streams: map[string]bool{}}, nil
}

// Ready implements cloud.Bus.
func (b *Bus) Ready(ctx context.Context) error { return b.ready(ctx) }

// Close implements cloud.Bus.
func (b *Bus) Close() error {
	b.nc.Close()
	return nil
}

var (
	topicForm = regexp.MustCompile(`^[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)+$`)
	wordForm  = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	nameForm  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9-]{1,32}$`) })
)

// Publish implements cloud.Bus.
func (b *Bus) Publish(ctx context.Context, topic string, event cloud.Event) error {
	if !topicForm.MatchString(topic) {
		return fmt.Errorf("publish event: topic %q is not two or more words of letters, digits, - and _ joined by dots: %w", topic, cloud.ErrInvalid)
	}
	if isRedrive(topic) {
		return fmt.Errorf("publish event: topic %q is for events that are sent again to one consumer; choose another second word: %w", topic, cloud.ErrInvalid)
	}
	message, err := encode(topic, event.Traced(ctx))
	if err != nil {
		return fmt.Errorf("publish event on %s: %w", topic, err)
	}
	if limit := b.nc.MaxPayload() - letterRoom; limit > 0 && int64(message.Size()) > limit {
		return fmt.Errorf("publish event on %s: its %d bytes are more than the %d that the server takes and keeps: %w", topic, message.Size(), limit, cloud.ErrInvalid)
	}
	err = b.call(ctx, func(ctx context.Context) error { return b.publish(ctx, message) })
	if err != nil {
		return fmt.Errorf("publish event on %s: %w", topic, err)
	}
	return nil
}

// publish sends a message to the stream that its subject names. A stream that
// was removed meanwhile is created anew.
func (b *Bus) publish(ctx context.Context, message *nats.Msg) error {
	stream, _, _ := strings.Cut(message.Subject, ".")
	if err := b.declare(ctx, stream); err != nil {
		return err
	}
	_, err := b.js.PublishMsg(ctx, message)
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		if _, err = b.openStream(ctx, stream); err == nil {
			_, err = b.js.PublishMsg(ctx, message)
		}
	}
	return err
}

// Declare creates the stream of that name where it is missing. Publish and
// Subscribe do so by themselves; it is for those who let other programs publish.
func (b *Bus) Declare(ctx context.Context, name string) error {
	return b.call(ctx, func(ctx context.Context) error { return b.declare(ctx, name) })
}

func (b *Bus) declare(ctx context.Context, name string) error {
	if b.seen(name) {
		return nil
	}
	_, err := b.openStream(ctx, name)
	return err
}

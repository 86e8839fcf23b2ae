package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

const (
	// reopenWait is the pause before a consumer that ended is made anew.
	reopenWait = 250 * time.Millisecond
	// A request for messages waits on the server for pullExpiry, and twice the
	// heartbeat without a sign of life means that the consumer is gone.
	pullExpiry = 10 * time.Second
	heartbeat  = time.Second
	// closeWait bounds the search for messages that were fetched and not handed out.
	closeWait = time.Second
)

// errClosed is what Next returns after Close.
var errClosed = errors.New("the consumer is closed")

// consumer is a cloud.Consumer on a durable pull consumer. It holds at most
// one message that nobody has asked for yet.
type consumer struct {
	bus    *Bus
	stream string
	config jetstream.ConsumerConfig

	mu       sync.Mutex
	messages jetstream.MessagesContext // nil until opened
	closed   bool
}

// Subscribe implements cloud.Bus. The server never gives up on an event by
// itself: how many attempts there are is the subscriber's decision, so that an
// event is never dropped in silence.
func (b *Bus) Subscribe(ctx context.Context, s cloud.Subscription) (cloud.Consumer, error) {
	if !nameForm.MatchString(s.Name) {
		return nil, fmt.Errorf("subscribe: name %q is not 1 to 32 of a-z, 0-9 and -: %w", s.Name, cloud.ErrInvalid)
	}
	if err := checkFilter(s.Topic); err != nil {
		return nil, fmt.Errorf("subscribe %s: %w", s.Name, err)
	}
	if s.AckWait < time.Second {
		return nil, fmt.Errorf("subscribe %s: an acknowledgement wait of %v is less than 1s: %w", s.Name, s.AckWait, cloud.ErrInvalid)
	}
	stream, _, _ := strings.Cut(s.Topic, ".")
	c := &consumer{bus: b, stream: stream, config: jetstream.ConsumerConfig{
		Durable:       s.Name,
		FilterSubject: s.Topic,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       s.AckWait,
		MaxDeliver:    -1,
		MaxAckPending: s.MaxInFlight,
		DeliverPolicy: jetstream.DeliverAllPolicy,
	}}
	if _, err := c.open(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// checkFilter accepts a topic, or a prefix that ends in ".>".
func checkFilter(filter string) error {
	topic, wide := strings.CutSuffix(filter, ".>")
	if topicForm.MatchString(topic) || wide && wordForm.MatchString(topic) {
		return nil
	}
	return fmt.Errorf("topic %q is neither a topic nor a prefix ending in \".>\": %w", filter, cloud.ErrInvalid)
}

// open returns the message iterator, making stream, consumer and iterator
// where they are missing.
func (c *consumer) open(ctx context.Context) (jetstream.MessagesContext, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if c.messages != nil {
		return c.messages, nil
	}
	c.bus.forgetStream(c.stream)
	if err := c.bus.Declare(ctx, c.stream); err != nil {
		return nil, fmt.Errorf("subscribe %s: %w", c.config.Durable, err)
	}
	durable, err := c.bus.js.CreateOrUpdateConsumer(ctx, c.stream, c.config)
	if err != nil {
		return nil, fmt.Errorf("subscribe %s: make consumer on stream %s: %w", c.config.Durable, c.stream, err)
	}
	c.messages, err = durable.Messages(
		jetstream.PullMaxMessages(1),
		jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(heartbeat),
		jetstream.WithMessagesErrOnMissingHeartbeat(true),
	)
	if err != nil {
		return nil, fmt.Errorf("subscribe %s: %w", c.config.Durable, err)
	}
	return c.messages, nil
}

// reopen forgets an iterator that ended; the next open makes a new one.
func (c *consumer) reopen(ended jetstream.MessagesContext) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.messages == ended && ended != nil {
		c.messages.Stop()
		c.messages = nil
	}
}

// Next implements cloud.Consumer.
func (c *consumer) Next(ctx context.Context) (cloud.Delivery, error) {
	for {
		messages, err := c.open(ctx)
		if err == nil {
			var message jetstream.Msg
			if message, err = messages.Next(jetstream.NextContext(ctx)); err == nil {
				return c.deliver(ctx, message)
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, errClosed) || c.isClosed():
			return nil, errClosed
		}
		c.reopen(messages)
		select {
		case <-time.After(reopenWait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *consumer) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func (c *consumer) deliver(ctx context.Context, message jetstream.Msg) (cloud.Delivery, error) {
	place, err := message.Metadata()
	if err != nil {
		return nil, fmt.Errorf("read delivery: %w", err)
	}
	if ctx.Err() != nil { // came while the caller was leaving: somebody else takes it at once
		return nil, errors.Join(ctx.Err(), message.Nak())
	}
	return &delivery{
		consumer: c,
		message:  message,
		place:    place,
		event:    decode(message.Subject(), message.Headers(), message.Data(), place),
	}, nil
}

// Close implements cloud.Consumer. What was fetched and not handed out goes back at once.
func (c *consumer) Close() error {
	c.mu.Lock()
	messages, closed := c.messages, c.closed
	c.closed = true
	c.mu.Unlock()
	if closed || messages == nil {
		return nil
	}
	messages.Drain()
	for {
		message, err := messages.Next(jetstream.NextMaxWait(closeWait))
		if err != nil { // none left, or the server is away and hands them out again itself
			messages.Stop()
			return nil
		}
		if err := message.Nak(); err != nil {
			return fmt.Errorf("hand back delivery: %w", err)
		}
	}
}

// delivery is a cloud.Delivery.
type delivery struct {
	consumer *consumer
	message  jetstream.Msg
	place    *jetstream.MsgMetadata
	event    cloud.Event
}

func (d *delivery) Event() cloud.Event { return d.event }
func (d *delivery) Topic() string      { return d.message.Subject() }
func (d *delivery) Attempt() int       { return int(d.place.NumDelivered) }

func (d *delivery) Ack(ctx context.Context) error {
	if err := d.message.DoubleAck(ctx); err != nil {
		return fmt.Errorf("acknowledge event %s: %w", d.event.ID, err)
	}
	return nil
}

func (d *delivery) Retry(_ context.Context, after time.Duration) error {
	if err := d.message.NakWithDelay(after); err != nil {
		return fmt.Errorf("hand back event %s: %w", d.event.ID, err)
	}
	return nil
}

func (d *delivery) Extend(context.Context) error {
	if err := d.message.InProgress(); err != nil {
		return fmt.Errorf("extend delivery of event %s: %w", d.event.ID, err)
	}
	return nil
}

// Headers that a dead letter has beside those of the event itself.
const (
	headerReason   = "drydock-reason"
	headerTopic    = "drydock-topic"
	headerStream   = "drydock-stream"
	headerConsumer = "drydock-consumer"
	headerSequence = "drydock-sequence"
	headerAttempts = "drydock-attempts"
)

// DeadLetter publishes the whole message under an identity of its own, so that
// a crash between publishing and acknowledging does not keep it twice.
func (d *delivery) DeadLetter(ctx context.Context, failure cloud.Failure) error {
	name, stream := d.consumer.config.Durable, d.place.Stream
	sequence := strconv.FormatUint(d.place.Sequence.Stream, 10)
	letter := nats.NewMsg(deadLettersStream + "." + stream + "." + name)
	letter.Data = d.message.Data()
	for key, values := range d.message.Headers() {
		letter.Header[key] = values
	}
	letter.Header.Set(headerReason, escape(failure.Reason+": "+failure.Last))
	letter.Header.Set(headerTopic, d.message.Subject())
	letter.Header.Set(headerStream, stream)
	letter.Header.Set(headerConsumer, name)
	letter.Header.Set(headerSequence, sequence)
	letter.Header.Set(headerAttempts, strconv.Itoa(d.Attempt()))
	letter.Header.Set(jetstream.MsgIDHeader, strings.Join([]string{deadLettersStream, stream, name, sequence}, "/"))
	if err := d.consumer.bus.publish(ctx, letter); err != nil {
		return fmt.Errorf("dead-letter event %s: %w", d.event.ID, err)
	}
	return d.Ack(ctx)
}

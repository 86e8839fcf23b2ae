package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// closeWait bounds the server's word on what was answered and handed back.
	closeWait = time.Second
	// prefetchBytes is how much may be unanswered before no more is asked for
	// in advance. A single message may be larger.
	prefetchBytes = 16 << 20
)

// Answers to a delivery, in JetStream's words.
var (
	answerAck    = []byte("+ACK")
	answerRetry  = []byte("-NAK")
	answerExtend = []byte("+WPI")
)

// errClosed is what Next returns after Close.
var errClosed = errors.New("the consumer is closed")

// consumer is a cloud.Consumer on a durable pull consumer.
type consumer struct {
	bus      *Bus
	stream   string
	config   jetstream.ConsumerConfig
	prefetch int
	closing  chan struct{}

	mu         sync.Mutex
	pull       *pull // nil until opened
	unanswered int   // deliveries handed out
	bytes      int   // of those
	closed     bool
}

// Subscribe implements cloud.Bus. The server never gives up on an event by
// itself: how many attempts there are is the subscriber's decision, so that an
// event is never dropped in silence.
func (b *Bus) Subscribe(ctx context.Context, s cloud.Subscription) (cloud.Consumer, error) {
	if !nameForm().MatchString(s.Name) {
		return nil, fmt.Errorf("subscribe: name %q is not 1 to 32 of a-z, 0-9 and -: %w", s.Name, cloud.ErrInvalid)
	}
	if err := checkFilter(s.Topic); err != nil {
		return nil, fmt.Errorf("subscribe %s: %w", s.Name, err)
	}
	if s.AckWait < time.Second {
		return nil, fmt.Errorf("subscribe %s: an acknowledgement wait of %v is less than 1s: %w", s.Name, s.AckWait, cloud.ErrInvalid)
	}
	stream, _, _ := strings.Cut(s.Topic, ".")
	c := &consumer{
		bus:      b,
		stream:   stream,
		prefetch: max(1, s.Prefetch),
		closing:  make(chan struct{}),
		config: jetstream.ConsumerConfig{
			Durable:       s.Name,
			AckPolicy:     jetstream.AckExplicitPolicy,
			AckWait:       s.AckWait,
			MaxDeliver:    -1,
			MaxAckPending: s.MaxInFlight,
			DeliverPolicy: jetstream.DeliverAllPolicy,
		},
	}
	if s.Topic == stream+".>" { // it has what is sent again, and is faster alone
		c.config.FilterSubject = s.Topic
	} else {
		c.config.FilterSubjects = []string{s.Topic, redriveSubject(stream, s.Name)}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// checkFilter accepts a topic, or a prefix that ends in ".>".
func checkFilter(filter string) error {
	topic, wide := strings.CutSuffix(filter, ".>")
	if (topicForm.MatchString(topic) || wide && wordForm.MatchString(topic)) && !isRedrive(topic) {
		return nil
	}
	return fmt.Errorf("topic %q is neither a topic nor a prefix ending in \".>\": %w", filter, cloud.ErrInvalid)
}

// isRedrive tells the subject of an event that is sent again to one consumer,
// or a prefix of some.
func isRedrive(subject string) bool {
	_, rest, _ := strings.Cut(subject, ".")
	return rest == redriveWord || strings.HasPrefix(rest, redriveWord+".")
}

// open makes stream, consumer and inbox where they are missing.
func (c *consumer) open(ctx context.Context) error {
	err := c.bus.call(ctx, func(ctx context.Context) error {
		if _, err := c.bus.openStream(ctx, c.stream); err != nil {
			return err
		}
		if c.isDeclared(ctx) {
			return nil
		}
		_, err := c.bus.js.CreateOrUpdateConsumer(ctx, c.stream, c.config)
		return err
	})
	if err != nil {
		return fmt.Errorf("subscribe %s to stream %s: %w", c.config.Durable, c.stream, err)
	}
	p, err := openPull(c.bus.nc, c.stream, c.config.Durable, c.prefetch)
	if err != nil {
		return fmt.Errorf("subscribe %s: %w", c.config.Durable, err)
	}
	c.pull = p
	return nil
}

// isDeclared reports whether the server has the consumer as it is wanted. To
// declare it again would change nothing, but the server writes it to the disk,
// which each start of a role would wait for.
func (c *consumer) isDeclared(ctx context.Context) bool {
	found, err := c.bus.js.Consumer(ctx, c.stream, c.config.Durable)
	if err != nil {
		return false
	}
	has, wanted := found.CachedInfo().Config, c.config
	return has.AckPolicy == wanted.AckPolicy && has.AckWait == wanted.AckWait &&
		has.MaxDeliver == wanted.MaxDeliver && has.MaxAckPending == wanted.MaxAckPending &&
		has.DeliverPolicy == wanted.DeliverPolicy &&
		has.FilterSubject == wanted.FilterSubject && slices.Equal(has.FilterSubjects, wanted.FilterSubjects)
}

// ask is called by those who wait for a delivery. It sees to it that the
// server owes one at least, and as many as the prefetch lets be unanswered.
func (c *consumer) ask(ctx context.Context) (*pull, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if c.pull == nil {
		if err := c.open(ctx); err != nil {
			return nil, err
		}
	}
	largest := int(c.bus.nc.MaxPayload()) + overhead
	room := max(prefetchBytes, largest) - c.bytes
	count := c.prefetch - c.unanswered - c.pull.owed
	if room < largest {
		count, room = 0, largest
	}
	if c.pull.owed == 0 {
		return c.pull, c.pull.ask(max(1, count), room)
	}
	if count > c.prefetch/2 { // fewer are not worth a request
		return c.pull, c.pull.ask(count, room)
	}
	return c.pull, nil
}

// reopen forgets an inbox to which nothing comes; the next ask makes a new one.
func (c *consumer) reopen(lost *pull) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if lost != nil && c.pull == lost && !c.closed {
		lost.withdraw()
		_ = lost.handBack() // what cannot be handed back comes again by itself
		c.pull = nil
	}
}

// Next implements cloud.Consumer.
func (c *consumer) Next(ctx context.Context) (cloud.Delivery, error) {
	for {
		pull, err := c.ask(ctx)
		if err == nil {
			var d *delivery
			if d, err = c.receive(ctx, pull); d != nil {
				return d, nil
			}
		}
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, errClosed):
			return nil, errClosed
		}
		c.reopen(pull)
		select {
		case <-time.After(reopenWait):
		case <-c.closing:
			return nil, errClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// receive takes one message. When there is neither a delivery nor an error, it
// was none for the subscriber.
func (c *consumer) receive(ctx context.Context, p *pull) (*delivery, error) {
	message, err := p.next(ctx, c.closing)
	if err != nil {
		return nil, err
	}
	if isStatus(message) {
		count, err := ended(message)
		c.mu.Lock()
		defer c.mu.Unlock()
		p.owed = max(0, p.owed-count)
		return nil, err
	}
	d, err := c.deliver(message)
	c.mu.Lock()
	defer c.mu.Unlock()
	p.owed = max(0, p.owed-1)
	if d != nil {
		c.unanswered++
		c.bytes += message.Size()
	}
	return d, err
}

// deliver makes the delivery of a message; what is sent again to another
// consumer is acknowledged and passed over.
func (c *consumer) deliver(message *nats.Msg) (*delivery, error) {
	topic := message.Subject
	if isRedrive(topic) {
		if topic != redriveSubject(c.stream, c.config.Durable) {
			return nil, message.Respond(answerAck)
		}
		topic = topicOf(topic, message.Header)
	}
	found, err := message.Metadata()
	if err != nil {
		return nil, fmt.Errorf("read delivery: %w", err)
	}
	d := &delivery{consumer: c, message: message, topic: topic}
	d.place.Stream, d.place.Consumer = found.Stream, found.Consumer
	d.place.Sequence = jetstream.SequencePair(found.Sequence)
	d.place.NumDelivered, d.place.Timestamp = found.NumDelivered, found.Timestamp
	d.event = decode(d.topic, message.Header, message.Data, &d.place)
	return d, nil
}

// answered makes room for another delivery. After Close the last one lets go
// what was prefetched behind it.
func (c *consumer) answered(d *delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d.answered {
		return
	}
	d.answered = true
	c.unanswered--
	c.bytes -= d.message.Size()
	if c.closed && c.unanswered == 0 && c.pull != nil {
		_ = c.pull.handBack() // what cannot be handed back comes again by itself
	}
}

// Close implements cloud.Consumer. What was prefetched goes back at once, or,
// so that the order stays, after the deliveries that are still to be answered.
func (c *consumer) Close() error {
	c.mu.Lock()
	pull, first := c.pull, !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		close(c.closing)
	}
	if first && pull != nil {
		pull.withdraw()
		// The server forgets requests that have no inbox any more when it is
		// asked about their consumer; else the first event that goes back meets
		// them, and comes after the others.
		asking, cancel := context.WithTimeout(context.Background(), closeWait)
		_, _ = c.bus.js.Consumer(asking, c.stream, c.config.Durable)
		cancel()
		c.mu.Lock()
		if c.unanswered == 0 {
			_ = pull.handBack() // what cannot be handed back comes again by itself
		}
		c.mu.Unlock()
	}
	if err := c.bus.nc.FlushTimeout(closeWait); err != nil && c.bus.nc.IsConnected() {
		return fmt.Errorf("close consumer %s: the last answers may be lost and their events come again: %w", c.config.Durable, err)
	}
	return nil
}

// delivery is a cloud.Delivery.
type delivery struct {
	consumer *consumer
	message  *nats.Msg
	topic    string
	place    jetstream.MsgMetadata
	event    cloud.Event
	answered bool // guarded by consumer.mu
}

func (d *delivery) Event() cloud.Event { return d.event }
func (d *delivery) Topic() string      { return d.topic }
func (d *delivery) Attempt() int       { return int(d.place.NumDelivered) }

func (d *delivery) Ack(context.Context) error {
	defer d.consumer.answered(d)
	if err := d.message.Respond(answerAck); err != nil {
		return fmt.Errorf("acknowledge event %s: %w", d.event.ID, err)
	}
	return nil
}

func (d *delivery) Retry(_ context.Context, after time.Duration) error {
	defer d.consumer.answered(d)
	answer := answerRetry
	if after > 0 {
		answer = fmt.Appendf(nil, `%s {"delay": %d}`, answerRetry, after.Nanoseconds())
	}
	if err := d.message.Respond(answer); err != nil {
		return fmt.Errorf("hand back event %s: %w", d.event.ID, err)
	}
	return nil
}

func (d *delivery) Extend(context.Context) error {
	if err := d.message.Respond(answerExtend); err != nil {
		return fmt.Errorf("extend delivery of event %s: %w", d.event.ID, err)
	}
	return nil
}

// DeadLetter keeps the letter before it acknowledges. The letter has an
// identity of its own, so that a crash between the two does not keep it twice.
func (d *delivery) DeadLetter(ctx context.Context, failure cloud.Failure) error {
	bus := d.consumer.bus
	err := bus.call(ctx, func(ctx context.Context) error { return d.keep(ctx, failure) })
	if err != nil {
		return fmt.Errorf("dead-letter event %s: %w", d.event.ID, err)
	}
	defer d.consumer.answered(d)
	err = bus.call(ctx, func(ctx context.Context) error {
		_, err := bus.nc.RequestWithContext(ctx, d.message.Reply, answerAck)
		return err
	})
	if err != nil {
		return fmt.Errorf("acknowledge dead-lettered event %s: %w", d.event.ID, err)
	}
	return nil
}

func (d *delivery) keep(ctx context.Context, failure cloud.Failure) error {
	letter, err := encodeLetter(d.consumer.config.Durable, d.message, &d.place, failure)
	if err != nil {
		return err
	}
	return d.consumer.bus.keepLetter(ctx, letter)
}

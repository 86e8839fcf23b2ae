package cloud

import (
	"context"
	"iter"
	"time"
)

// Bus carries events between services, at least once. A topic is dot separated
// ("images.processed.demo"); its first word names the stream that keeps it.
//
// A Bus is safe for concurrent use. Calls return when the context ends, or
// before that, with ErrUnavailable, when the bus gives no answer.
type Bus interface {
	// Publish returns nil only once the event is durably kept. A second event
	// with the same ID, inside the provider's deduplication window, is dropped
	// without an error. An event or topic that can never be published is ErrInvalid.
	// An event without a trace continues that of WithTrace, or begins one.
	Publish(ctx context.Context, topic string, event Event) error

	// Subscribe joins the durable consumer that the subscription names,
	// creating it where it is missing and updating it where it differs. All
	// subscribers of one name share its deliveries.
	Subscribe(ctx context.Context, subscription Subscription) (Consumer, error)

	// Read yields the events kept on a topic, or below a prefix ending in ".>",
	// in the order in which they were published, and then each new one, until
	// the context ends, over lost connections too. It takes nothing from
	// anybody: readers keep their own position, and any number of them see the
	// same. An error ends the sequence.
	Read(ctx context.Context, topic string, from Start) iter.Seq2[Entry, error]

	// Ready returns nil while the bus can be reached, else the reason why not.
	Ready(ctx context.Context) error

	// Close releases the connection. Subscriptions end. It may be called twice.
	Close() error
}

// Start is where a Read begins: right after a position, or with the first
// event published at or after a time. The zero Start is the oldest event kept.
type Start struct {
	After Position
	// Published is, if set, when the event at After was published, or a later one
	// of the same stream. A stream that was made after that is another one, and
	// is read from its beginning.
	Published time.Time
	Since     time.Time // used when After is zero
}

// Position is an event's place in its stream. It grows, with gaps, from event
// to event of one stream; the first is 1.
type Position uint64

// Entry is one event that Read found.
type Entry struct {
	Event     Event
	Topic     string
	Position  Position
	Published time.Time // when the bus took it
}

// Subscription describes a durable consumer.
type Subscription struct {
	// Name is the durable name, [a-z0-9-]{1,32}.
	Name string
	// Topic selects events: a topic, or a prefix ending in ".>".
	Topic string
	// AckWait is how long a delivery may go without Extend or an answer before
	// it is delivered again, to anyone. At least one second.
	AckWait time.Duration
	// MaxInFlight is how many deliveries may be unanswered at once, over all
	// subscribers of the name. Zero leaves it to the provider.
	MaxInFlight int
	// Prefetch is how many deliveries may be on their way to this subscriber
	// before it asks for them; at least 1, which zero means. Their AckWait runs.
	Prefetch int
}

// Consumer hands out deliveries. Next may be called from several goroutines.
type Consumer interface {
	// Next waits for one delivery. It returns the context's error when the
	// context ends; a lost connection is not an error: it waits until the
	// connection is back.
	Next(ctx context.Context) (Delivery, error)
	// Close ends the local subscription. The durable consumer stays. What was
	// delivered can still be answered, for which another Close waits; what is
	// never answered comes again. What was prefetched goes back at once, or, in
	// order, after the deliveries that are answered yet.
	Close() error
}

// Delivery is one event handed to one subscriber. Exactly one of Ack, Retry
// and DeadLetter answers it; without an answer it comes again after AckWait.
type Delivery interface {
	Event() Event
	// Topic is the topic the event was published to.
	Topic() string
	// Attempt counts the deliveries of this event to this consumer, from 1.
	// It may start anew after a dead letter is sent again.
	Attempt() int
	// Ack says that the work is done and durable. The answer is on its way when
	// it returns, and the bus has it once Close of the consumer has returned; if
	// it is lost on the way the event comes again.
	Ack(ctx context.Context) error
	// Retry hands the event back, to be delivered again after the delay.
	Retry(ctx context.Context, after time.Duration) error
	// Extend starts the AckWait anew while work goes on.
	Extend(ctx context.Context) error
	// DeadLetter keeps the whole event as a Letter and only then takes it from
	// the consumer: at every moment it is in at least one of the two places.
	DeadLetter(ctx context.Context, failure Failure) error
}

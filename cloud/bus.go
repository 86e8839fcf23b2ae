package cloud

import (
	"context"
	"time"
)

// Bus carries events between services, at least once. A topic is dot separated
// ("images.processed.demo"); its first word names the stream that keeps it.
//
// A Bus is safe for concurrent use. Calls return when the context ends.
type Bus interface {
	// Publish returns nil only once the event is durably kept. A second event
	// with the same ID, inside the provider's deduplication window, is dropped
	// without an error. An event or topic that can never be published is ErrInvalid.
	Publish(ctx context.Context, topic string, event Event) error

	// Subscribe joins the durable consumer that the subscription names,
	// creating it where it is missing and updating it where it differs. All
	// subscribers of one name share its deliveries.
	Subscribe(ctx context.Context, subscription Subscription) (Consumer, error)

	// Ready returns nil while the bus can be reached, else the reason why not.
	Ready(ctx context.Context) error

	// Close releases the connection. Subscriptions end. It may be called twice.
	Close() error
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
}

// Consumer hands out deliveries. Next may be called from several goroutines.
type Consumer interface {
	// Next waits for one delivery. It returns the context's error when the
	// context ends; a lost connection is not an error: it waits until the
	// connection is back.
	Next(ctx context.Context) (Delivery, error)
	// Close ends the local subscription. The durable consumer stays, and what
	// was delivered and not answered comes again.
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
	// Ack says that the work is done and durable. It returns once the bus has
	// taken note, so that the event cannot come again.
	Ack(ctx context.Context) error
	// Retry hands the event back, to be delivered again after the delay.
	Retry(ctx context.Context, after time.Duration) error
	// Extend starts the AckWait anew while work goes on.
	Extend(ctx context.Context) error
	// DeadLetter keeps the whole event with the reason on the topic
	// "deadletters.<stream>.<consumer>" and only then takes it from the consumer.
	DeadLetter(ctx context.Context, reason string) error
}

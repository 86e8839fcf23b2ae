package cloud

import (
	"context"
	"time"
)

// Event is one CloudEvents 1.0 event
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md).
// On the wire providers use the binary mode: attributes as headers, Data as
// the body. A message that some other program published without CloudEvents
// headers (an object store's notification) is an Event too: its ID is made
// from its place in the stream, so that it is the same at every redelivery.
type Event struct {
	// ID is unique per Source and is the deduplication key: publishing two
	// events with one ID within the deduplication window keeps the first.
	ID string
	// Source names the service that made the event, as a URI reference: "/drydock/images".
	Source string
	// Type is the event type, reverse-DNS: "dev.drydock.images.processed".
	Type string
	// Subject names the thing the event is about within the source: an object's key.
	Subject string
	// Time is when it happened; the zero time is replaced at publishing.
	Time time.Time
	// ContentType is CloudEvents' datacontenttype. Empty means application/json.
	ContentType string
	// TraceParent is the event's place in a trace, of W3C Trace Context. An event
	// without one gets one at publishing, and one that some other program
	// published has one made from its place in the stream, as its ID.
	TraceParent string
	// Data is the payload. It is limited by the provider's message size
	// (1 MiB on a default NATS server, 256 KiB on SNS and SQS).
	Data []byte
}

// Trace is the event's place in a trace; zero when it has none.
func (e Event) Trace() Trace { return ParseTrace(e.TraceParent) }

// Traced is the event as a Bus publishes it: when it has no trace, it continues
// the context's or else begins one.
func (e Event) Traced(ctx context.Context) Event {
	if e.Trace().IsZero() {
		e.TraceParent = TraceOf(ctx).Next().String()
	}
	return e
}

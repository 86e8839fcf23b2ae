package nats

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// Headers of CloudEvents' NATS binding
// (https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md), binary mode.
const (
	headerVersion     = "ce-specversion"
	headerID          = "ce-id"
	headerSource      = "ce-source"
	headerType        = "ce-type"
	headerSubject     = "ce-subject"
	headerTime        = "ce-time"
	headerContentType = "content-type"
	headerTraceParent = "traceparent"

	version            = "1.0"
	defaultContentType = "application/json"
)

// encode makes the message of an event. ID, Source and Type must be given, as CloudEvents demands.
func encode(topic string, event cloud.Event) (*nats.Msg, error) {
	for name, value := range map[string]string{"ID": event.ID, "Source": event.Source, "Type": event.Type} {
		if value == "" {
			return nil, fmt.Errorf("the event has no %s: %w", name, cloud.ErrInvalid)
		}
	}
	if event.Time.IsZero() {
		event.Time = time.Now()
	}
	if event.ContentType == "" {
		event.ContentType = defaultContentType
	}
	message := nats.NewMsg(topic)
	message.Data = event.Data
	message.Header.Set(headerVersion, version)
	message.Header.Set(headerID, escape(event.ID))
	message.Header.Set(headerSource, escape(event.Source))
	message.Header.Set(headerType, escape(event.Type))
	message.Header.Set(headerTime, event.Time.UTC().Format(time.RFC3339Nano))
	message.Header.Set(headerContentType, event.ContentType)
	message.Header.Set(jetstream.MsgIDHeader, escape(event.ID))
	if event.Subject != "" {
		message.Header.Set(headerSubject, escape(event.Subject))
	}
	if event.TraceParent != "" {
		message.Header.Set(headerTraceParent, event.TraceParent)
	}
	return message, nil
}

// decode makes the event of a message; one without CloudEvents headers, as an
// object store publishes it, gets its attributes from its place in the stream.
func decode(subject string, header nats.Header, data []byte, place *jetstream.MsgMetadata) cloud.Event {
	event := cloud.Event{
		ID:          unescape(header.Get(headerID)),
		Source:      unescape(header.Get(headerSource)),
		Type:        unescape(header.Get(headerType)),
		Subject:     unescape(header.Get(headerSubject)),
		ContentType: header.Get(headerContentType),
		TraceParent: header.Get(headerTraceParent),
		Data:        data,
	}
	if at, err := time.Parse(time.RFC3339Nano, header.Get(headerTime)); err == nil {
		event.Time = at
	} else {
		event.Time = place.Timestamp
	}
	if event.ID == "" {
		event.ID = place.Stream + "/" + strconv.FormatUint(place.Sequence.Stream, 10)
	}
	if event.Source == "" {
		event.Source = "nats:" + place.Stream
	}
	if event.Type == "" {
		event.Type = subject
	}
	if event.ContentType == "" {
		event.ContentType = defaultContentType
	}
	if event.TraceParent == "" || event.Trace().IsZero() {
		event.TraceParent = placeTrace(place).String()
	}
	return event
}

// placeTrace is the trace that begins at a place: the same at every delivery.
// Every event of programs that send none needs one, so it is made cheaply.
func placeTrace(place *jetstream.MsgMetadata) cloud.Trace {
	return cloud.NamedTrace(place.Stream + "/" + strconv.FormatUint(place.Sequence.Stream, 10) + "/" + strconv.FormatInt(place.Timestamp.UnixNano(), 10))
}

// escape percent-encodes what CloudEvents keeps out of header values.
func escape(value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unescape(value string) string {
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value // not ours: somebody wrote a bare percent sign
}

package deadletters

import (
	"encoding/base64"
	"time"
	"unicode/utf8"

	"github.com/drydock/drydock/cloud"
)

// Letter is a dead letter as the API shows it.
type Letter struct {
	ID         string    `json:"id" example:"quotes.alerts.4711" doc:"Identifies the letter: the stream, the consumer and the event's number in the stream."`
	Revision   uint64    `json:"revision" example:"12" doc:"Changes with each edit; the ETag has it too."`
	Stream     string    `json:"stream" example:"quotes" doc:"The stream the event is from."`
	Consumer   string    `json:"consumer" example:"alerts" doc:"The consumer that gave it up."`
	Topic      string    `json:"topic" example:"quotes.AAPL" doc:"The topic it was published to."`
	Reason     string    `json:"reason" example:"permanent" doc:"The kind of end: permanent, attempts used up, or never came to an end."`
	FirstError string    `json:"first_error,omitempty" example:"price is missing" doc:"The error of the first attempt that is known."`
	LastError  string    `json:"last_error,omitempty" example:"price is missing" doc:"The error of the last attempt."`
	Attempts   int       `json:"attempts" example:"5" doc:"How often the consumer tried, this time."`
	Began      time.Time `json:"began,omitzero" doc:"When the first attempt failed, where that is known."`
	At         time.Time `json:"at" doc:"When it was given up."`
	Redriven   int       `json:"redriven" example:"1" doc:"How often it was sent again before."`
	Event      Event     `json:"event" doc:"The event's attributes, as CloudEvents has them."`
	// History is what was done before: edits, and earlier failures that were answered by sending it again.
	History  []cloud.LetterChange `json:"history" nullable:"false" doc:"What was done before, oldest first: edits, and earlier letters of the same event that were sent again."`
	Encoding string               `json:"encoding,omitempty" enum:"text,base64" example:"text" doc:"How data is written: text where it is UTF-8. Only for a single letter."`
	Data     string               `json:"data,omitempty" example:"{\"symbol\":\"AAPL\"}" doc:"The event's data. Only for a single letter."`
}

// Event is an event without its data.
type Event struct {
	ID          string    `json:"id" example:"AAPL-2026-05-04T12:00:00Z" doc:"Its deduplication key."`
	Source      string    `json:"source" example:"/drydock/quotes" doc:"The service that made it."`
	Type        string    `json:"type" example:"dev.drydock.quotes.changed" doc:"Its type."`
	Subject     string    `json:"subject,omitempty" example:"AAPL" doc:"What it is about."`
	Time        time.Time `json:"time" doc:"When it happened."`
	ContentType string    `json:"content_type" example:"application/json" doc:"The data's media type."`
	TraceParent string    `json:"traceparent,omitempty" example:"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" doc:"W3C trace context."`
	Size        int       `json:"size" example:"312" doc:"Bytes of data."`
}

// view shows a letter without its data.
func view(l cloud.Letter) Letter {
	v := Letter{
		ID: l.ID, Revision: l.Revision, Stream: l.Stream, Consumer: l.Consumer, Topic: l.Topic,
		Reason: l.Reason, FirstError: l.First, LastError: l.Last,
		Attempts: l.Attempts, Began: l.Began, At: l.At, Redriven: l.Redriven(),
		Event: Event{
			ID: l.Event.ID, Source: l.Event.Source, Type: l.Event.Type, Subject: l.Event.Subject, Time: l.Event.Time,
			ContentType: l.Event.ContentType, TraceParent: l.Event.TraceParent, Size: len(l.Event.Data),
		},
		History: l.History,
	}
	if v.History == nil {
		v.History = []cloud.LetterChange{}
	}
	return v
}

// whole shows a letter with its data.
func whole(l cloud.Letter) Letter {
	v := view(l)
	if utf8.Valid(l.Event.Data) {
		v.Encoding, v.Data = "text", string(l.Event.Data)
	} else {
		v.Encoding, v.Data = "base64", base64.StdEncoding.EncodeToString(l.Event.Data)
	}
	return v
}

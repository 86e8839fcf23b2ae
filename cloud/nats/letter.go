package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// A letter is one message of the stream deadletters on the subject
// "deadletters.<stream>.<consumer>.<sequence>": the event's message whole, with
// headers that tell why and where it was given up.
const (
	headerReason   = "drydock-reason"
	headerFirst    = "drydock-first"
	headerLast     = "drydock-last"
	headerBegan    = "drydock-began"
	headerTopic    = "drydock-topic"
	headerStream   = "drydock-stream"
	headerConsumer = "drydock-consumer"
	headerSequence = "drydock-sequence"
	headerAttempts = "drydock-attempts"
	headerHistory  = "drydock-history" // JSON; an event that was sent again has it too
	headerAt       = "drydock-at"      // of edited letters, whose message is younger than they are
)

const (
	headerPrefix = "drydock-"
	serverPrefix = "Nats-" // headers that tell the server what to do, with the first message alone

	// redriveWord follows the stream in the subject of an event that is sent
	// again: "<stream>.redrive.<consumer>".
	redriveWord = "redrive"

	// What failed is told within these limits, in bytes and in lines of history,
	// so that it fits into letterRoom beside any event.
	maxReason  = 128
	maxError   = 2 << 10
	maxTold    = 160 // of an error in the history
	maxHistory = 16

	// letterRoom is how many bytes an event's message has to stay below the
	// server's limit, so that the letter which it may become is within it.
	letterRoom = 32 << 10
)

// letterForm is a letter's ID: the subject without its first word.
var letterForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-zA-Z0-9_-]+)\.([a-z0-9-]{1,32})\.([1-9][0-9]{0,19})$`)
})

// redriveSubject is where a consumer finds the events that are sent to it again.
func redriveSubject(stream, consumer string) string {
	return stream + "." + redriveWord + "." + consumer
}

// topicOf returns the topic that an event was published to at first.
func topicOf(subject string, header nats.Header) string {
	words := strings.SplitN(subject, ".", 3)
	if topic := unescape(header.Get(headerTopic)); topic != "" && len(words) == 3 && words[1] == redriveWord {
		return topic
	}
	return subject
}

// keepLetter publishes a letter, which may be kept already: its delivery was
// not acknowledged then. It does not replace that one, which may be edited.
func (b *Bus) keepLetter(ctx context.Context, letter *nats.Msg) error {
	err := b.publish(ctx, letter)
	if !isConflict(err) {
		return err
	}
	stream, err := b.js.Stream(ctx, deadLettersStream)
	if err != nil {
		return err
	}
	kept, err := stream.GetLastMsgForSubject(ctx, letter.Subject)
	if err != nil {
		return err
	}
	if kept.Header.Get(headerID) != letter.Header.Get(headerID) {
		return fmt.Errorf("letter %s is kept for another event, of a stream that was removed since: redrive or delete it", letter.Subject)
	}
	return nil
}

// encodeLetter makes the letter of a delivery that its consumer gives up.
func encodeLetter(consumer string, delivered *nats.Msg, place *jetstream.MsgMetadata, failure cloud.Failure) (*nats.Msg, error) {
	topic := topicOf(delivered.Subject, delivered.Header)
	sequence := strconv.FormatUint(place.Sequence.Stream, 10)
	id := strings.Join([]string{place.Stream, consumer, sequence}, ".")
	// Attributes that the message does not name come from its place, which it leaves now.
	letter, err := encode(deadLettersStream+"."+id, decode(topic, delivered.Header, delivered.Data, place))
	if err != nil {
		return nil, err
	}
	for key, values := range lasting(delivered.Header) {
		if letter.Header[key] == nil && (!strings.HasPrefix(key, headerPrefix) || key == headerHistory) {
			letter.Header[key] = values
		}
	}
	setText(letter.Header, headerReason, failure.Reason, maxReason)
	setText(letter.Header, headerFirst, failure.First, maxError)
	setText(letter.Header, headerLast, failure.Last, maxError)
	if !failure.Began.IsZero() {
		letter.Header.Set(headerBegan, failure.Began.UTC().Format(time.RFC3339Nano))
	}
	letter.Header.Set(headerTopic, escape(topic))
	letter.Header.Set(headerStream, place.Stream)
	letter.Header.Set(headerConsumer, consumer)
	letter.Header.Set(headerSequence, sequence)
	letter.Header.Set(headerAttempts, strconv.FormatUint(place.NumDelivered, 10))
	letter.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("%s/%s/%d", deadLettersStream, id, place.Timestamp.UnixNano()))
	letter.Header.Set(jetstream.ExpectedLastSubjSeqHeader, "0")
	return letter, nil
}

// decodeLetter reads a letter; ok is false for a message that is none.
func decodeLetter(message *jetstream.RawStreamMsg) (letter cloud.Letter, ok bool) {
	id := strings.TrimPrefix(message.Subject, deadLettersStream+".")
	words := letterForm().FindStringSubmatch(id)
	if words == nil {
		return cloud.Letter{}, false
	}
	header := message.Header
	sequence, _ := strconv.ParseUint(words[3], 10, 64)
	attempts, _ := strconv.Atoi(header.Get(headerAttempts))
	letter = cloud.Letter{
		ID:       id,
		Revision: message.Sequence,
		Stream:   words[1],
		Consumer: words[2],
		Topic:    unescape(header.Get(headerTopic)),
		Failure: cloud.Failure{
			Reason: unescape(header.Get(headerReason)),
			First:  unescape(header.Get(headerFirst)),
			Last:   unescape(header.Get(headerLast)),
		},
		Attempts: attempts,
		At:       message.Time.UTC(),
		History:  history(header),
	}
	letter.Began, _ = time.Parse(time.RFC3339Nano, header.Get(headerBegan))
	if at, err := time.Parse(time.RFC3339Nano, header.Get(headerAt)); err == nil {
		letter.At = at
	}
	place := &jetstream.MsgMetadata{Stream: letter.Stream, Timestamp: letter.At}
	place.Sequence.Stream = sequence
	letter.Event = decode(letter.Topic, header, message.Data, place)
	return letter, true
}

// encodeEdit makes the message that replaces a letter's.
func encodeEdit(message *jetstream.RawStreamMsg, letter cloud.Letter, data []byte, now time.Time) *nats.Msg {
	edited := nats.NewMsg(message.Subject)
	edited.Data = data
	edited.Header = lasting(message.Header)
	edited.Header.Set(headerAt, letter.At.UTC().Format(time.RFC3339Nano))
	setHistory(edited.Header, append(letter.History, cloud.LetterChange{
		Kind: cloud.LetterEdited, Letter: letter.ID, At: now.UTC(),
	}))
	return edited
}

// encodeRedrive makes the message that sends a letter's event again. It has
// the identity of the letter's revision: sent twice, it is kept once.
func encodeRedrive(message *jetstream.RawStreamMsg, letter cloud.Letter, now time.Time) *nats.Msg {
	again := nats.NewMsg(redriveSubject(letter.Stream, letter.Consumer))
	again.Data = message.Data
	for key, values := range lasting(message.Header) {
		if !strings.HasPrefix(key, headerPrefix) {
			again.Header[key] = values
		}
	}
	again.Header.Set(headerTopic, escape(letter.Topic))
	setHistory(again.Header, append(letter.History, cloud.LetterChange{
		Kind: cloud.LetterRedriven, Letter: letter.ID, At: now.UTC(),
		Reason: letter.Reason, Last: cut(letter.Last, maxTold), Attempts: letter.Attempts,
	}))
	again.Header.Set(jetstream.MsgIDHeader, redriveWord+"/"+letter.ID+"/"+strconv.FormatUint(letter.Revision, 10))
	return again
}

// lasting copies the headers that belong to the event and its story, not to
// one publishing of it.
func lasting(header nats.Header) nats.Header {
	kept := maps.Clone(header)
	maps.DeleteFunc(kept, func(key string, _ []string) bool { return strings.HasPrefix(key, serverPrefix) })
	return kept
}

// history reads what was done to an event before.
func history(header nats.Header) []cloud.LetterChange {
	var changes []cloud.LetterChange
	if json.Unmarshal([]byte(unescape(header.Get(headerHistory))), &changes) != nil {
		return nil
	}
	return changes
}

// setHistory keeps the newest changes. Edits are forgotten first, as those who
// count how often an event came back must not be misled.
func setHistory(header nats.Header, changes []cloud.LetterChange) {
	for len(changes) > maxHistory {
		oldest := 0
		for i, change := range changes[:len(changes)-1] {
			if change.Kind == cloud.LetterEdited {
				oldest = i
				break
			}
		}
		changes = append(changes[:oldest:oldest], changes[oldest+1:]...)
	}
	text, err := json.Marshal(changes)
	if err != nil {
		return // times outside of the years 0 to 9999, which no clock gives
	}
	header.Set(headerHistory, escape(string(text)))
}

// setText writes a bounded text, and nothing where there is none.
func setText(header nats.Header, key, text string, limit int) {
	if text != "" {
		header.Set(key, escape(cut(text, limit)))
	}
}

// cut shortens a text to a number of bytes, at the beginning of a character.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

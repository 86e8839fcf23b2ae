package s3

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// JetStream returns a Notifier that publishes each event to subject with its id
// as Nats-Msg-Id and waits for the stream's acknowledgement. A stream drops
// repetitions within its duplicate window.
func JetStream(js jetstream.JetStream, subject string) Notifier {
	return jetStreamNotifier{js: js, subject: subject}
}

type jetStreamNotifier struct {
	js      jetstream.JetStream
	subject string
}

func (n jetStreamNotifier) Notify(ctx context.Context, id string, event []byte) error {
	if _, err := n.js.Publish(ctx, n.subject, event, jetstream.WithMsgID(id)); err != nil {
		return fmt.Errorf("publish to %s: %w", n.subject, err)
	}
	return nil
}

package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// A request for messages waits on the server for pullExpiry, and twice the
	// heartbeat without a sign of life means that the consumer is gone.
	pullExpiry = 10 * time.Second
	heartbeat  = time.Second
	// pullRequests is how many requests, all with their heartbeats until they
	// expire, leave room for messages in the channel, and more.
	pullRequests = 64
	// overhead is what a message weighs beside headers and data, at most: its subjects.
	overhead = 8 << 10
)

// Words of JetStream that nats.go has no exported names for.
const (
	nextSubject        = jetstream.DefaultAPIPrefix + "CONSUMER.MSG.NEXT."
	headerStatus       = "Status"
	headerDescription  = "Description"
	headerPendingCount = "Nats-Pending-Messages"
	statusHeartbeat    = "100"
	statusTimeout      = "408" // the request has expired
	statusConflict     = "409" // with a count of what is pending: the request has ended early
)

// errSilent: the server owes messages and gives no sign of life.
var errSilent = errors.New("the server does not answer")

// pull asks a durable consumer for messages and gets them in an inbox of its
// own. The library's own iterators ask for more as soon as some are taken; this
// one asks when it is told to, so that no more come than can be looked after.
type pull struct {
	nc           *nats.Conn
	subject      string
	messages     chan *nats.Msg
	subscription *nats.Subscription
	reconnected  chan nats.Status // requests do not outlive a connection
	owed         int              // messages asked for and not taken yet; guarded by consumer.mu
}

// openPull subscribes an inbox with room for so many messages.
func openPull(nc *nats.Conn, stream, durable string, room int) (*pull, error) {
	p := &pull{
		nc:       nc,
		subject:  nextSubject + stream + "." + durable,
		messages: make(chan *nats.Msg, room+pullRequests*int(pullExpiry/heartbeat)),
	}
	var err error
	if p.subscription, err = nc.ChanSubscribe(nc.NewInbox(), p.messages); err != nil {
		return nil, err
	}
	p.reconnected = nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	return p, nil
}

// ask requests messages of so many bytes together.
func (p *pull) ask(count, bytes int) error {
	p.owed += count
	request := fmt.Appendf(nil, `{"expires":%d,"batch":%d,"max_bytes":%d,"idle_heartbeat":%d}`, pullExpiry, count, bytes, heartbeat)
	return p.nc.PublishRequest(p.subject, p.subscription.Subject, request)
}

// next waits for a message or the server's word about a request.
func (p *pull) next(ctx context.Context, closed <-chan struct{}) (*nats.Msg, error) {
	select {
	case message := <-p.messages:
		return message, nil
	default:
	}
	silence := time.NewTimer(2 * heartbeat)
	defer silence.Stop()
	select {
	case message := <-p.messages:
		return message, nil
	case <-p.reconnected:
		return nil, nats.ErrDisconnected
	case <-silence.C:
		return nil, errSilent
	case <-closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ended reads the server's word about a request: how many of its messages will
// not come any more. Every other word is an error.
func ended(message *nats.Msg) (count int, err error) {
	status := message.Header.Get(headerStatus)
	if status == statusHeartbeat {
		return 0, nil
	}
	pending := message.Header.Get(headerPendingCount)
	if status == statusTimeout || status == statusConflict && pending != "" {
		if count, err = strconv.Atoi(pending); err == nil {
			return count, nil
		}
	}
	return 0, fmt.Errorf("the server says %s %s", status, message.Header.Get(headerDescription))
}

// isStatus tells the server's word from a message of the stream.
func isStatus(message *nats.Msg) bool {
	return len(message.Data) == 0 && len(message.Header) > 0 && message.Header.Get(headerStatus) != ""
}

// withdraw takes back what was asked for. When it returns, all that the server
// sent before it knew is here.
func (p *pull) withdraw() {
	p.nc.RemoveStatusListener(p.reconnected)
	if p.subscription.Drain() == nil { // it takes messages until the server knows
		_ = p.nc.FlushTimeout(closeWait) // else the server is away and delivers them again by itself
	}
}

// handBack sends what is here back to the server.
func (p *pull) handBack() error {
	for {
		select {
		case message := <-p.messages:
			if isStatus(message) {
				continue
			}
			if err := message.Respond(answerRetry); err != nil {
				return fmt.Errorf("hand back delivery: %w", err)
			}
		default:
			return nil
		}
	}
}

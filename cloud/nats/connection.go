// Package nats provides cloud.Bus and cloud.Records on one NATS server or
// cluster with JetStream: events are stream messages in CloudEvents' binary
// mode, records are a JetStream key-value bucket.
//
// A server is named by a URL: nats://[user:password@]host[:port][?replicas=3].
// The port is 4222 by default, and replicas (1, 3 or 5; 1 by default) applies
// to the streams and buckets that are created, never to those that exist.
//
// Answers come to subjects below _INBOX_ and the user's name, so that a server
// can let each user read its own alone: _INBOX_images.> for the user images.
package nats

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// reconnectWait is the pause between two tries to reach a lost server.
const reconnectWait = 250 * time.Millisecond

// pingEvery is how often a server has to show that it is there; one that misses
// two is taken for lost. One whose machine fails says nothing, and the library
// by itself would wait for four to six minutes.
const pingEvery = 5 * time.Second

// connection is one connection to a server, kept up over its restarts.
type connection struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	replicas int
}

// connect returns once the server has answered, or when the context ends.
func connect(ctx context.Context, rawURL string) (*connection, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "nats" || u.Host == "" {
		return nil, errors.New("connect to NATS: the URL must be nats://[user:password@]host[:port][?replicas=N]")
	}
	replicas := 1
	if given := u.Query().Get("replicas"); given != "" {
		if replicas, err = strconv.Atoi(given); err != nil || replicas < 1 || replicas > 5 {
			return nil, fmt.Errorf("connect to NATS: replicas=%q is not a number from 1 to 5", given)
		}
	}
	u.RawQuery = ""

	connected := make(chan struct{}, 1)
	nc, err := nats.Connect(u.String(),
		nats.CustomInboxPrefix(inboxPrefix(u.User.Username())),
		nats.Name("drydock"),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.PingInterval(pingEvery),
		nats.ReconnectBufSize(-1), // fail at once while away, instead of promising
		nats.ConnectHandler(func(*nats.Conn) { connected <- struct{}{} }),
	)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", u.Host, err)
	}
	if !nc.IsConnected() {
		select {
		case <-connected:
		case <-ctx.Done():
			err, last := ctx.Err(), nc.LastError()
			nc.Close()
			if last != nil {
				err = fmt.Errorf("%w: %w", err, last)
			}
			return nil, fmt.Errorf("connect to NATS at %s: %w", u.Host, err)
		}
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to NATS at %s: %w", u.Host, err)
	}
	return &connection{nc: nc, js: js, replicas: replicas}, nil
}

// inboxPrefix is what the subjects begin with to which a user's answers come.
func inboxPrefix(user string) string {
	if !nameForm().MatchString(user) { // nobody, or one whose name a subject cannot hold
		return "_INBOX"
	}
	return "_INBOX_" + user
}

// readyWait is less than answerWait, as who asks whether all is well does not wait for long.
const readyWait = 5 * time.Second

// ready asks the server for a round trip.
func (c *connection) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	if !c.nc.IsConnected() {
		return fmt.Errorf("NATS is not connected (%v): %w", c.nc.Status(), cloud.ErrUnavailable)
	}
	if err := c.nc.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("NATS does not answer: %w: %w", cloud.ErrUnavailable, err)
	}
	return nil
}

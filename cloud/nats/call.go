package nats

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// answerWait is how long the server may take over one call, with all that it
// asks: many times what a busy server takes, and less than people wait.
const answerWait = 10 * time.Second

var (
	errConnectionLost = errors.New("the connection to NATS was lost before the answer came")
	errNoAnswer       = fmt.Errorf("NATS gave no answer for %v", answerWait)
)

// call does what waits for answers of the server, and sees to it that it ends.
// The client by itself waits for as long as the context lets it, though an
// answer may never come: one that was on its way when the connection was lost,
// or one to a request that a server which is about to stop drops in silence.
//
// Without an answer, because of that or as nobody is there to give one, the
// error is cloud.ErrUnavailable, unless it is the given context that has ended.
// What do begins must not need its context any more when it has returned.
func (c *connection) call(ctx context.Context, do func(context.Context) error) error {
	return c.whileConnected(ctx, func(connected context.Context) error {
		bounded, stop := context.WithTimeoutCause(connected, answerWait, errNoAnswer)
		defer stop()
		return explain(ctx, bounded, do(bounded))
	})
}

// whileConnected is call for what takes as long as its caller likes, and is
// lost with the connection all the same.
func (c *connection) whileConnected(ctx context.Context, do func(context.Context) error) error {
	connected, end := context.WithCancelCause(ctx)
	defer end(nil)
	lost := c.nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	defer c.nc.RemoveStatusListener(lost) // and closes it
	go func() {
		if _, changed := <-lost; changed {
			end(errConnectionLost)
		}
	}()
	return explain(ctx, connected, do(connected))
}

// explain makes the error of what was done with a context derived from the
// caller's own one.
func explain(callers, derived context.Context, err error) error {
	switch {
	case err == nil, callers.Err() != nil, errors.Is(err, cloud.ErrUnavailable):
		return err
	case derived.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		return fmt.Errorf("%w: %w", cloud.ErrUnavailable, context.Cause(derived))
	case isAway(err):
		return fmt.Errorf("%w: %w", cloud.ErrUnavailable, err)
	}
	return err
}

// isAway tells whether an error means that nobody is there to answer.
func isAway(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code == http.StatusServiceUnavailable
	}
	return slices.ContainsFunc([]error{
		nats.ErrReconnectBufExceeded, // as requests are not kept for later
		nats.ErrDisconnected,
		nats.ErrConnectionClosed,
		nats.ErrTimeout,
		nats.ErrNoResponders,
		nats.ErrNoHeartbeat,
		jetstream.ErrNoHeartbeat,
		jetstream.ErrNoStreamResponse,
	}, func(away error) bool { return errors.Is(err, away) })
}

package main

import (
	"context"
	"io"
	"time"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/connect"
)

// connectWait bounds how long a role waits for what it depends on.
const connectWait = 30 * time.Second

// connections are those that a role has while it runs. The first that fails is
// kept in err, and what is asked for after it is nil.
type connections struct {
	ctx    context.Context // of the connecting
	cancel context.CancelFunc
	getenv func(string) string
	opened []io.Closer
	err    error
}

// newConnections begins the time for connecting. The caller closes them.
func newConnections(ctx context.Context, getenv func(string) string) *connections {
	c := &connections{getenv: getenv}
	c.ctx, c.cancel = context.WithTimeout(ctx, connectWait)
	return c
}

// Close closes them, the last one first.
func (c *connections) Close() {
	c.cancel()
	for i := len(c.opened) - 1; i >= 0; i-- {
		c.opened[i].Close()
	}
}

func (c *connections) bus() cloud.Bus { return open(c, connect.Bus) }

func (c *connections) schedules() cloud.Schedules { return open(c, connect.Schedules) }

func (c *connections) deadLetters() cloud.DeadLetters { return open(c, connect.DeadLetters) }

func (c *connections) records(collection string) cloud.Records {
	return open(c, func(ctx context.Context, getenv func(string) string) (cloud.Records, error) {
		return connect.Records(ctx, getenv, collection)
	})
}

func open[T io.Closer](c *connections, connect func(context.Context, func(string) string) (T, error)) (opened T) {
	if c.err != nil {
		return opened
	}
	if opened, c.err = connect(c.ctx, c.getenv); c.err == nil {
		c.opened = append(c.opened, opened)
	}
	return opened
}

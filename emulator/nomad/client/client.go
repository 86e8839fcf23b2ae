// Package client is the nodes of an emulated Nomad: each registers with the
// servers of its region and runs the allocations that they give it, with drivers
// that start real processes or only pretend to. It renders their templates,
// registers their services, keeps their logs, restarts what ends before it should, and
// leaves no process behind, whatever happens to the program that owns it.
//
// Package nomad starts the nodes of a region; the words are Nomad's own (job,
// group, task, allocation, driver).
package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// Client is a node: it registers with the servers of its region and runs the
// allocations that they give it. Its methods may be called from any goroutine.
type Client struct {
	options Options
	log     *slog.Logger
	drivers map[string]driver.Driver
	output  *terminal
	configs configCache

	turn sync.Mutex // held by the one call that starts or ends the node

	mu      sync.Mutex
	closed  bool
	session *session          // nil while the node is gone
	meta    map[string]string // of the node; nil is what the topology says
	volumes map[string]*api.HostVolumeInfo
	seen    seenNode
}

// seenNode is a node as allocations see it.
type seenNode struct {
	node       *api.Node
	references map[string]string
}

// Start starts a node, which the caller must Close. It returns once the node is
// registered; the context bounds that alone.
func Start(ctx context.Context, o Options) (*Client, error) {
	if o.Dir == "" || o.Server == nil || o.Node == nil || o.Node.ID == "" {
		return nil, errors.New("start node: Options need Dir, Server, and Node with its ID")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start node: %w", err)
	}
	o.Dir = dir
	c := &Client{options: o, log: o.Logger, drivers: o.allowed(), volumes: maps.Clone(o.Node.HostVolumes)}
	if c.volumes == nil {
		c.volumes = map[string]*api.HostVolumeInfo{}
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if o.Output != nil {
		c.output = &terminal{out: o.Output}
	}
	if err := c.Revive(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close stops every task, each within its kill_timeout, and returns when no
// process is left. The servers are not told: for them the node is not heard of
// any more, and its allocations run on when it is started again in its folder. A
// second call waits for the same end.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end(true)
	return nil
}

// Kill ends the node as the loss of its machine does: its tasks are killed, and
// it is not heard of any more. It returns when no process is left.
func (c *Client) Kill() { c.end(false) }

// Revive starts a node that was killed, which finds its folder as it was: what
// the servers still want to run of it is started anew. One that runs is left
// alone.
func (c *Client) Revive(ctx context.Context) error {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	running, closed := c.session != nil, c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case running:
		return nil
	}
	s, err := c.newSession(ctx)
	if err != nil {
		return fmt.Errorf("start node %s: %w", c.options.Node.Name, err)
	}
	c.mu.Lock()
	c.session = s
	c.mu.Unlock()
	return nil
}

func (c *Client) end(gracefully bool) {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	s := c.session
	c.session = nil
	c.mu.Unlock()
	if s != nil {
		s.close(gracefully)
	}
}

// Node is the node with what was found out of it; nil while it is gone. It is
// not to be changed.
func (c *Client) Node() *api.Node {
	if s := c.current(); s != nil {
		return s.node.Load()
	}
	return nil
}

// SetMeta says what the metadata of the node is now, for the allocations that
// come after: all of it. It is not to be changed.
func (c *Client) SetMeta(meta map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.meta, c.seen = meta, seenNode{}
}

// references are what ${node.…}, ${attr.…} and ${meta.…} stand for in jobs. All
// allocations that come between two changes of the node have them in common.
func (c *Client) references(node *api.Node) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen.node != node {
		now := *node
		if c.meta != nil {
			now.Meta = c.meta
		}
		c.seen = seenNode{node, nodeReferences(&now, c.options.Region)}
	}
	return c.seen.references
}

func (c *Client) current() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

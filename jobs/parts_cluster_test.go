package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
)

// addresses are those of three nodes on one machine.
var addresses = []string{"127.0.41.1", "127.0.41.2", "127.0.41.3"}

// node is the one whose name ends so.
func (c cluster) node(t *testing.T, number int) *api.NodeListStub {
	t.Helper()
	nodes, _, err := c.nomad.Nodes().List(nil)
	require.NoError(t, err)
	for _, n := range nodes {
		if n.Name == fmt.Sprint("node-", number) {
			return n
		}
	}
	require.Fail(t, "there is no such node", "%d", number)
	return nil
}

// drain takes everything off a node, and returns once nothing runs there.
func (c cluster) drain(t *testing.T, number int) {
	t.Helper()
	n := c.node(t, number)
	_, err := c.nomad.Nodes().UpdateDrain(n.ID, &api.DrainSpec{Deadline: -1}, false, nil)
	require.NoError(t, err)
	eventually(t, "the node is empty", func() error {
		list, _, err := c.nomad.Nodes().Allocations(n.ID, nil)
		for _, a := range list {
			if !a.ClientTerminalStatus() {
				err = errors.Join(err, errors.New(a.Name+" is there"))
			}
		}
		return err
	})
}

// refill lets a node run jobs again.
func (c cluster) refill(t *testing.T, number int) {
	t.Helper()
	_, err := c.nomad.Nodes().UpdateDrain(c.node(t, number).ID, nil, true, nil)
	require.NoError(t, err)
}

// has waits until so many instances of a service are healthy.
func (c cluster) has(t *testing.T, service string, count int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d of %s are healthy", count, service), func() error {
		entries, _, err := c.consul.Health().Service(service, "", true, nil)
		if err == nil && len(entries) != count {
			err = fmt.Errorf("%d are", len(entries))
		}
		return err
	})
}

// A server of three may be lost, and all may be replaced, while events are
// published: every one that was acknowledged is there.
func TestEventsOutliveAServer(t *testing.T) {
	t.Parallel()
	c := emulated(t, addresses...)
	c.put(t, "nats", natsItems)
	variables := natsVariables(t)
	variables["count"] = "3"
	c.deploy(t, "nats", variables)
	c.has(t, "nats", 3)
	url := natsAt(c.address(t, "nats"), "quotes", natsItems["quotes"])
	bus := openBus(t, url+"?replicas=3")
	publishing, stop := context.WithCancel(t.Context())
	var published []string
	var work sync.WaitGroup
	work.Go(func() { published = publish(publishing, bus) })

	stream, err := jetStream(t, url).Stream(t.Context(), "quotes")
	if err != nil { // it is made by the first event
		eventually(t, "the stream is there", func() (err error) {
			stream, err = jetStream(t, url).Stream(t.Context(), "quotes")
			return err
		})
	}
	assert.Equal(t, 3, stream.CachedInfo().Config.Replicas)
	c.drain(t, 2)
	c.refill(t, 2)
	c.has(t, "nats", 3)
	c.has(t, "nats-cluster", 3) // all streams are up to date
	variables["memory"] = "400"
	c.deploy(t, "nats", variables)
	c.has(t, "nats-cluster", 3)
	stop()
	work.Wait()

	require.NotEmpty(t, published)
	stream, err = jetStream(t, natsAt(c.address(t, "nats"), "quotes", natsItems["quotes"])).Stream(t.Context(), "quotes")
	require.NoError(t, err)
	assert.EqualValues(t, len(published), stream.CachedInfo().State.Msgs)
	assert.Len(t, stream.CachedInfo().Cluster.Replicas, 2)
}

// publish publishes events until the context ends, each until it is acknowledged.
func publish(ctx context.Context, bus *nats.Bus) (published []string) {
	for ctx.Err() == nil {
		id := fmt.Sprint("event-", len(published))
		for bus.Publish(context.WithoutCancel(ctx), "quotes.00.ACME", cloud.Event{ID: id, Source: "/test", Type: "test", Data: []byte("{}")}) != nil {
		}
		published = append(published, id)
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return published
}

package nomad

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/drydock/drydock/emulator/nomad/client"
)

// StopZone kills the nodes of an availability zone, as the loss of its machines
// does. The servers miss them at once instead of at the next heartbeat that does
// not come. It returns when none of their processes is left.
func (n *Nomad) StopZone(zone string) error {
	return n.inZone(zone, func(r *region, id string, c *client.Client) error {
		c.Kill()
		r.heartbeats.set(id, time.Time{})
		return nil
	})
}

// StartZone starts the nodes that StopZone has killed, with their folders as they were.
func (n *Nomad) StartZone(ctx context.Context, zone string) error {
	return n.inZone(zone, func(_ *region, _ string, c *client.Client) error { return c.Revive(ctx) })
}

// inZone does something with each node of a zone, side by side.
func (n *Nomad) inZone(zone string, do func(*region, string, *client.Client) error) error {
	var mu sync.Mutex
	var failed error
	var doing sync.WaitGroup
	found := false
	for _, r := range n.regions {
		for id, c := range r.nodes.known() {
			if node := r.store.View().Node(id); node == nil || node.Datacenter != zone {
				continue
			}
			found = true
			doing.Go(func() {
				err := do(r, id, c)
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, err)
			})
		}
	}
	doing.Wait()
	if !found {
		return fmt.Errorf("there is no node in the zone %q", zone)
	}
	return failed
}

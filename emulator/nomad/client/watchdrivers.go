package client

import (
	"context"
	"maps"
	"time"

	"github.com/hashicorp/nomad/api"
)

// driverWatch is the time between two looks at the drivers, and whatever else is
// found out: an engine may come and go.
const driverWatch = 30 * time.Second

// watchDrivers keeps the servers informed of how the drivers are.
func (s *session) watchDrivers() {
	for s.pause(driverWatch) {
		before := s.node.Load()
		node, events := s.lookAtDrivers(s.ctx)
		if len(events) == 0 && maps.Equal(node.Attributes, before.Attributes) || s.ctx.Err() != nil {
			continue
		}
		node = s.changeNode(func(n *api.Node) { n.Drivers, n.Attributes = node.Drivers, node.Attributes })
		if err := s.options.Server.RegisterNode(node, s.secret); err != nil {
			s.log.Debug("drivers are not told", "node", node.Name, "error", err)
			continue
		}
		if len(events) == 0 {
			continue
		}
		if err := s.options.Server.UpdateNodeEvents(node.ID, events); err != nil {
			s.log.Debug("node events are not told", "node", node.Name, "error", err)
		}
	}
}

// lookAtDrivers is the node with its drivers as they are now, and what has
// changed of them.
func (s *session) lookAtDrivers(ctx context.Context) (*api.Node, []*api.NodeEvent) {
	before := s.node.Load()
	node := *before
	node.Attributes = maps.Clone(before.Attributes)
	for name, info := range before.Drivers {
		for attribute := range info.Attributes {
			delete(node.Attributes, attribute)
		}
		delete(node.Attributes, "driver."+name)
	}
	s.fingerprintDrivers(ctx, &node)
	s.fingerprintMore(ctx, &node)
	maps.Copy(node.Attributes, s.options.Node.Attributes)
	var events []*api.NodeEvent
	for name, now := range node.Drivers {
		was := before.Drivers[name]
		if was != nil && was.Detected == now.Detected && was.Healthy == now.Healthy {
			continue
		}
		events = append(events, &api.NodeEvent{
			Message: now.HealthDescription, Subsystem: "Driver", Details: map[string]string{"driver": name}, Timestamp: time.Now().UTC(),
		})
	}
	return &node, events
}

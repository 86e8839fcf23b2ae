package docker

import (
	"context"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

func findPort(task driver.Task, label string) *api.PortMapping {
	for i := range task.Ports {
		if task.Ports[i].Label == label {
			return &task.Ports[i]
		}
	}
	return nil
}

// insidePort is the number that a port has within the container.
func insidePort(p *api.PortMapping) int {
	if p.To > 0 {
		return p.To
	}
	return p.Value
}

// network is where the started container is reached; nil for where the machine is.
func (d *Driver) network(ctx context.Context, task driver.Task, c *config, id string) *driver.Network {
	found, err := d.engine.inspect(ctx, id)
	if err != nil {
		return nil // it has ended already
	}
	for _, name := range sortedKeys(found.NetworkSettings.Networks) {
		address := found.NetworkSettings.Networks[name].IPAddress
		if address == "" {
			continue
		}
		n := &driver.Network{IP: address, PortMap: map[string]int{}, AutoAdvertise: ownNetwork(c.NetworkMode)}
		for _, label := range c.Ports {
			if p := findPort(task, label); p != nil {
				n.PortMap[label] = insidePort(p)
			}
		}
		return n
	}
	return nil
}

// ownNetwork reports whether a network is one that somebody has made, on which
// containers are reached at their own addresses.
func ownNetwork(mode string) bool {
	switch mode {
	case "", "default", "bridge", "host", "none", "nat":
		return false
	}
	return true
}

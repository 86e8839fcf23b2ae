package client

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
	"golang.org/x/sys/unix"
)

// nomadVersion is the version of Nomad whose ways the node has.
const nomadVersion = "1.11.3"

// loopback is the address of every task: the emulator is for this machine alone.
const loopback = "127.0.0.1"

// Dynamic ports are taken from Nomad's default range, which is below what systems use for outgoing connections.
const (
	minDynamicPort = 20000
	maxDynamicPort = 32000
)

// fingerprint finds out what the topology does not say of the node.
func (c *Client) fingerprint(ctx context.Context, machine *Machine) *api.Node {
	node := *c.options.Node
	fillResources(&node, machine)
	node.Attributes = machine.attributes()
	maps.Copy(node.Attributes, resourceAttributes(node.NodeResources))
	maps.Copy(node.Attributes, map[string]string{
		"nomad.version": nomadVersion, "nomad.service_discovery": "true",
		"unique.network.ip-address": addressOf(&node), "os.signals": strings.Join(signalNames(), ","),
		volumePluginVersion: "0.0.1",
	})
	if node.HTTPAddr != "" {
		node.Attributes["unique.advertise.address"] = node.HTTPAddr
	}
	c.fingerprintDrivers(ctx, &node)
	c.fingerprintMore(ctx, &node)
	maps.Copy(node.Attributes, c.options.Node.Attributes)
	node.Meta = maps.Clone(node.Meta)
	if node.Meta == nil {
		node.Meta = map[string]string{}
	}
	if node.CgroupParent == "" {
		node.CgroupParent = parentCgroup
	}
	node.HostVolumes = c.volumesNow()
	return &node
}

// resourceAttributes are what jobs may ask of what the node has to give, as
// Nomad names it.
func resourceAttributes(resources *api.NodeResources) map[string]string {
	compute := strconv.FormatInt(resources.Cpu.CpuShares, 10)
	return map[string]string{
		"cpu.totalcompute":          compute,
		"cpu.usablecompute":         compute,
		"memory.totalbytes":         strconv.FormatInt(resources.Memory.MemoryMB<<20, 10),
		"unique.storage.bytestotal": strconv.FormatInt(resources.Disk.DiskMB<<20, 10),
	}
}

// addressOf is where the node is reached.
func addressOf(node *api.Node) string {
	if node.NodeResources != nil {
		for _, network := range node.NodeResources.Networks {
			if network.IP != "" {
				return network.IP
			}
		}
	}
	return loopback
}

// signalNames are the signals that a task may be sent.
func signalNames() []string {
	var names []string
	for number := 1; number < 32; number++ {
		if name := unix.SignalName(unix.Signal(number)); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// fingerprintDrivers says what drivers the node has, and how they are.
func (c *Client) fingerprintDrivers(ctx context.Context, node *api.Node) {
	node.Drivers = map[string]*api.DriverInfo{}
	for name, d := range c.drivers {
		found := d.Fingerprint(ctx)
		info := &api.DriverInfo{
			Attributes: map[string]string{}, Detected: found.Detected, Healthy: found.Healthy,
			HealthDescription: found.Description, UpdateTime: time.Now().UTC(),
		}
		if found.Detected {
			maps.Copy(info.Attributes, found.Attributes)
			maps.Copy(node.Attributes, found.Attributes)
			info.Attributes["driver."+name] = "true"
			node.Attributes["driver."+name] = "1"
		}
		node.Drivers[name] = info
	}
}

// fingerprintMore says what the owner of the node finds out.
func (c *Client) fingerprintMore(ctx context.Context, node *api.Node) {
	if c.options.Attributes != nil {
		maps.Copy(node.Attributes, c.options.Attributes(ctx))
	}
}

// fillResources says of the node's resources what the topology does not.
func fillResources(node *api.Node, machine *Machine) {
	given := node.NodeResources
	resources := &api.NodeResources{MinDynamicPort: minDynamicPort, MaxDynamicPort: maxDynamicPort}
	if given != nil {
		*resources = *given
	}
	if resources.Cpu.CpuShares == 0 {
		resources.Cpu.CpuShares = int64(machine.Cores * machine.MHz)
	}
	if resources.Cpu.TotalCpuCores == 0 {
		resources.Cpu.TotalCpuCores = uint16(machine.Cores)
		for core := range machine.Cores {
			resources.Cpu.ReservableCpuCores = append(resources.Cpu.ReservableCpuCores, uint16(core))
		}
	}
	if resources.Memory.MemoryMB == 0 {
		resources.Memory.MemoryMB = int64(machine.MemoryMB)
	}
	if resources.Disk.DiskMB == 0 {
		resources.Disk.DiskMB = int64(machine.DiskMB)
	}
	if resources.MaxDynamicPort == 0 {
		resources.MinDynamicPort, resources.MaxDynamicPort = minDynamicPort, maxDynamicPort
	}
	if len(resources.Networks) == 0 {
		resources.Networks = []*api.NetworkResource{
			{Mode: "host", Device: "lo", IP: loopback, CIDR: loopback + "/32", MBits: new(1000)},
		}
	}
	node.NodeResources = resources
	if node.ReservedResources == nil {
		node.ReservedResources = &api.NodeReservedResources{}
	}
}

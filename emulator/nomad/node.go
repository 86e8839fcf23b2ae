package nomad

import "github.com/hashicorp/nomad/api"

// Node configures one node of a region, which is an agent with its own drivers
// and resources on this machine.
type Node struct {
	Name       string            // default: node- and its number
	ID         string            // a UUID; default: made up once, and kept
	Datacenter string            // the availability zone; default: the region's
	Pool       string            // default "default"
	Class      string            // may be empty
	Meta       map[string]string // read as ${meta.<key>}
	Attributes map[string]string // beside those that are found out
	// Address is the node's IP address; default 127.0.0.1. Nodes may share one:
	// then they share its ports.
	Address string
	// CPU in MHz, Memory and Disk in MiB; 0 is what the machine has.
	CPU, Memory, Disk int64
	// Reserved is what tasks do not get; nil is nothing.
	Reserved *api.NodeReservedResources
	// Drivers are the names of those that the node has; nil is all.
	Drivers []string
	// HostVolumes are folders of this machine, by the volume's name.
	HostVolumes map[string]*api.HostVolumeInfo
	// HostNetworks are further addresses, by name.
	HostNetworks map[string]*api.HostNetworkInfo
	// Options are those of a client's configuration.
	Options map[string]string
}

package state

import (
	"iter"
	"net"
	"slices"
	"strconv"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// tableUsage has what is taken of each node, so that the scheduler need not
// look at every allocation to know.
const tableUsage = "usage"

// Usage is what the allocations that may still run on a node take of it.
type Usage struct {
	NodeID string
	Amount
	Allocations int
	Cores       []uint16 `json:",omitempty"` // in no order
	Devices     []string `json:",omitempty"` // instances, as DeviceInstance names them, in no order
}

func usageTables() store.Schema {
	return store.Schema{tableUsage: store.Rows[Usage](
		store.Unique("id", store.By(func(u *Usage) []string { return []string{u.NodeID} })))}
}

// Usage is what is taken of a node.
func (v *View) Usage(node string) Usage {
	if u := store.First[Usage](v.View, tableUsage, "id", node); u != nil {
		return *u
	}
	return Usage{NodeID: node}
}

// AllocationsOfPort are those that may still run and have a port of an address.
func (v *View) AllocationsOfPort(address string, port int) iter.Seq[*Allocation] {
	return store.All[Allocation](v.View, TableAllocations, "port", portKey(address, port))
}

func portKey(address string, port int) string { return net.JoinHostPort(address, strconv.Itoa(port)) }

// portsOf are the keys of the ports that an allocation holds.
func portsOf(a *Allocation) []string {
	if !a.holds() {
		return nil
	}
	var keys []string
	for _, port := range a.AllocatedResources.Shared.Ports {
		if key := portKey(port.HostIP, port.Value); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// holds tells whether the allocation still takes something of a node: it does
// until the node says that it has ended, also when it is meant to end.
func (a *Allocation) holds() bool {
	return a.NodeID != "" && a.AllocatedResources != nil && !a.ClientTerminal()
}

// Amount is how much of its node the allocation takes.
func (a *Allocation) Amount() Amount { return AmountOf(a.Group(), a.AllocatedResources) }

// account moves what an allocation takes from what it was to what it is; nil
// is one that is not there.
func (tx *Tx) account(old, next *Allocation) {
	was, is := old != nil && old.holds(), next != nil && next.holds()
	if was == is && (!was || old.NodeID == next.NodeID && old.AllocatedResources == next.AllocatedResources) {
		return
	}
	if was {
		usage := tx.Usage(old.NodeID)
		usage.Remove(old)
		tx.putUsage(&usage)
	}
	if is {
		usage := tx.Usage(next.NodeID)
		usage.Add(next)
		tx.putUsage(&usage)
	}
}

func (tx *Tx) putUsage(usage *Usage) {
	if usage.Allocations > 0 {
		tx.Insert(tableUsage, usage)
		return
	}
	tx.Delete(tableUsage, usage)
}

// Add counts an allocation.
func (u *Usage) Add(a *Allocation) {
	u.Amount = u.Plus(a.Amount())
	u.Allocations++
	u.Cores, u.Devices = slices.Concat(u.Cores, a.cores()), slices.Concat(u.Devices, a.devices())
}

// Remove no longer counts an allocation that was counted.
func (u *Usage) Remove(a *Allocation) {
	u.Amount = u.Minus(a.Amount())
	u.Allocations--
	u.Cores, u.Devices = without(u.Cores, a.cores()), without(u.Devices, a.devices())
}

// without is the list without one of each that is taken from it; the list itself stays.
func without[T comparable](list, taken []T) []T {
	if len(taken) == 0 {
		return list
	}
	list = slices.Clone(list)
	for _, one := range taken {
		if i := slices.Index(list, one); i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
	}
	return list
}

func (a *Allocation) cores() (all []uint16) {
	for _, cores := range a.Cores {
		all = append(all, cores...)
	}
	return all
}

func (a *Allocation) devices() (all []string) {
	for _, task := range a.AllocatedResources.Tasks {
		for _, device := range task.Devices {
			for _, id := range device.DeviceIDs {
				all = append(all, DeviceInstance(device.Vendor, device.Type, device.Name, id))
			}
		}
	}
	return all
}

// DeviceInstance names an instance of a device of a node.
func DeviceInstance(vendor, kind, name, id string) string {
	return (api.NodeDeviceResource{Vendor: vendor, Type: kind, Name: name}).ID() + "/" + id
}

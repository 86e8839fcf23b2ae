package place

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// ComputedClass is equal for nodes that no constraint can tell apart, unless
// it is on what is unique to a node.
func ComputedClass(node *state.Node) string {
	h := classHash{fnv.New64a()}
	h.add(node.Datacenter, node.NodeClass, node.NodePool)
	h.addMap(node.Attributes)
	h.addMap(node.Meta)
	for _, name := range slices.Sorted(maps.Keys(node.Drivers)) {
		if usable(node.Drivers[name]) {
			h.add("driver", name)
		}
	}
	h.add(slices.Sorted(maps.Keys(node.HostNetworks))...)
	if r := node.NodeResources; r != nil {
		for _, network := range r.Networks {
			h.add("network", network.Mode)
		}
		for _, device := range r.Devices {
			h.addDevice(device)
		}
	}
	return fmt.Sprintf("v1:%d", h.Sum64())
}

type classHash struct{ hash.Hash64 }

// add hashes texts so that no two lists are the same.
func (h classHash) add(texts ...string) {
	var size [8]byte
	for _, text := range texts {
		binary.BigEndian.PutUint64(size[:], uint64(len(text)))
		h.Write(size[:])
		h.Write([]byte(text))
	}
}

func (h classHash) addMap(of map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(of)) {
		if !strings.HasPrefix(key, "unique.") {
			h.add(key, of[key])
		}
	}
	h.add("")
}

func (h classHash) addDevice(device *api.NodeDeviceResource) {
	healthy := 0
	for _, instance := range device.Instances {
		if instance.Healthy {
			healthy++
		}
	}
	h.add("device", device.ID(), fmt.Sprint(healthy))
	for _, key := range slices.Sorted(maps.Keys(device.Attributes)) {
		if !strings.HasPrefix(key, "unique.") {
			h.add(key, device.Attributes[key].String())
		}
	}
}

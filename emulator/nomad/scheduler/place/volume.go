package place

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// The types of a volume request.
const (
	volumeHost = "host"
	volumeCSI  = "csi"
)

// missingVolume tells why the node cannot give an instance of the group the
// volumes that it asks for; "" when it can.
func (s *Selector) missingVolume(node *state.Node, g *group, name string) (reason string) {
	for _, want := range []string{volumeHost, volumeCSI} {
		for _, request := range g.volumes {
			if request.Type != want {
				continue
			}
			source := jobs.VolumeSource(request, name)
			if want == volumeHost && !s.hasHostVolume(node, request, source) {
				return reasonHostVolumes
			}
			if want == volumeCSI {
				if reason = s.missingCSIVolume(node, request, source); reason != "" {
					return reason
				}
			}
		}
	}
	return ""
}

func (s *Selector) hasHostVolume(node *state.Node, request *api.VolumeRequest, source string) bool {
	volume := node.HostVolumes[source]
	if volume == nil {
		return false
	}
	if volume.ID == "" { // of the node's configuration
		return request.ReadOnly || !volume.ReadOnly
	}
	if s.volumes == nil {
		return false
	}
	dynamic := s.volumes.HostVolume(volume.ID)
	return dynamic != nil && dynamic.Namespace == *s.job.Namespace &&
		dynamic.State == api.HostVolumeStateReady && s.hostVolumeAllows(dynamic, request)
}

// hostVolumeAllows checks what a dynamic volume can be used for, and by whom it is used.
func (s *Selector) hostVolumeAllows(volume *api.HostVolume, request *api.VolumeRequest) bool {
	if request.AccessMode == "" && request.AttachmentMode == "" {
		return true
	}
	access := api.HostVolumeAccessMode(request.AccessMode)
	if !slices.ContainsFunc(volume.RequestedCapabilities, func(c *api.HostVolumeCapability) bool {
		return c.AccessMode == access && string(c.AttachmentMode) == request.AttachmentMode
	}) {
		return false
	}
	switch access {
	case api.HostVolumeAccessModeSingleNodeReader:
		return request.ReadOnly
	case api.HostVolumeAccessModeSingleNodeSingleWriter:
		return request.ReadOnly || !slices.ContainsFunc(s.allocationsOn(volume.NodeID), func(a *state.Allocation) bool {
			return writes(a, volumeHost, volume.Name)
		})
	}
	return true
}

// writes tells whether an allocation has a volume to write to.
func writes(a *state.Allocation, kind, source string) bool {
	for _, request := range a.Group().Volumes {
		if request.Type == kind && jobs.VolumeSource(request, a.Name) == source && !request.ReadOnly {
			return true
		}
	}
	return false
}

// missingCSIVolume checks the volume, its plugin on the node and its claims.
func (s *Selector) missingCSIVolume(node *state.Node, request *api.VolumeRequest, source string) (reason string) {
	var volume *api.CSIVolume
	if s.volumes != nil {
		volume = s.volumes.CSIVolume(*s.job.Namespace, source)
	}
	if volume == nil {
		return "missing CSI Volume " + source
	}
	plugin := node.CSINodePlugins[volume.PluginID]
	switch {
	case plugin == nil:
		return fmt.Sprintf("CSI plugin %s is missing from client %s", volume.PluginID, node.ID)
	case !plugin.Healthy:
		return fmt.Sprintf("CSI plugin %s is unhealthy on client %s", volume.PluginID, node.ID)
	case !accessible(volume, plugin):
		return fmt.Sprintf("did not meet topology requirement of CSI volume %s", volume.ID)
	case !volume.Schedulable:
		return fmt.Sprintf("CSI volume %s is unschedulable", volume.ID)
	case !request.ReadOnly && s.writersExhausted(volume, request):
		return fmt.Sprintf("CSI volume %s has exhausted its available writer claims", volume.ID)
	}
	return ""
}

// accessible tells whether the node is where the volume can be reached from.
func accessible(volume *api.CSIVolume, plugin *api.CSIInfo) bool {
	if !plugin.RequiresTopologies || len(volume.Topologies) == 0 {
		return true
	}
	if plugin.NodeInfo == nil || plugin.NodeInfo.AccessibleTopology == nil {
		return false
	}
	at := plugin.NodeInfo.AccessibleTopology.Segments
	return slices.ContainsFunc(volume.Topologies, func(t *api.CSITopology) bool { return maps.Equal(t.Segments, at) })
}

// writersExhausted tells whether the volume takes no further writer.
func (s *Selector) writersExhausted(volume *api.CSIVolume, request *api.VolumeRequest) bool {
	mode := volume.AccessMode
	if mode == "" {
		mode = api.CSIVolumeAccessMode(request.AccessMode)
	}
	switch mode {
	case api.CSIVolumeAccessModeMultiNodeMultiWriter:
		return false
	case api.CSIVolumeAccessModeSingleNodeWriter, api.CSIVolumeAccessModeMultiNodeSingleWriter:
		for id := range volume.WriteAllocs {
			if !s.planned.removed(id) {
				return true
			}
		}
		for _, a := range s.planned {
			if a != nil && writes(a, volumeCSI, volume.ID) {
				return true
			}
		}
		return false
	}
	return true // only readers
}

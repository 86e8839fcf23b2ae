package place_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

func asksVolume(request api.VolumeRequest) func(*api.Job) {
	return onGroup(func(g *api.TaskGroup) {
		request.Name = "v"
		g.Volumes = map[string]*api.VolumeRequest{"v": &request}
	})
}

// reasonFor is why no node has the volume; "" when one does.
func (r *region) reasonFor(job *api.Job) string {
	placement, metric := r.selector(job).Place(requestOf(job))
	if placement != nil {
		return ""
	}
	for reason := range metric.ConstraintFiltered {
		return reason
	}
	return "no reason"
}

func TestHostVolumes(t *testing.T) {
	t.Parallel()
	const missing = "missing compatible host volumes"
	capability := func(mode api.HostVolumeAccessMode) []*api.HostVolumeCapability {
		return []*api.HostVolumeCapability{{AttachmentMode: "file-system", AccessMode: mode}}
	}
	r := newRegion(t, newNode("1", func(n *state.Node) {
		n.HostVolumes = map[string]*api.HostVolumeInfo{
			"static": {}, "readonly": {ReadOnly: true}, "each[0]": {},
			"dynamic": {ID: "dynamic"}, "pending": {ID: "pending"}, "gone": {ID: "gone"}, "single": {ID: "single"}, "foreign": {ID: "foreign"},
		}
	}))
	r.host = map[string]*api.HostVolume{
		"dynamic": {ID: "dynamic", Name: "dynamic", NodeID: "1", Namespace: "default", State: api.HostVolumeStateReady, RequestedCapabilities: capability("single-node-reader-only")},
		"single":  {ID: "single", Name: "single", NodeID: "1", Namespace: "default", State: api.HostVolumeStateReady, RequestedCapabilities: capability("single-node-single-writer")},
		"pending": {ID: "pending", Name: "pending", NodeID: "1", Namespace: "default", State: api.HostVolumeStatePending},
		"foreign": {ID: "foreign", Name: "foreign", NodeID: "1", Namespace: "other", State: api.HostVolumeStateReady},
	}
	single := api.VolumeRequest{Type: "host", Source: "single", AccessMode: "single-node-single-writer", AttachmentMode: "file-system"}
	r.run(newJob("writer", asksVolume(single)))
	for _, test := range []struct {
		name    string
		request api.VolumeRequest
		reason  string
	}{
		{"of the node", api.VolumeRequest{Source: "static"}, ""},
		{"nobody's", api.VolumeRequest{Source: "none"}, missing},
		{"to write to one that may not be", api.VolumeRequest{Source: "readonly"}, missing},
		{"to read it", api.VolumeRequest{Source: "readonly", ReadOnly: true}, ""},
		{"of the instance", api.VolumeRequest{Source: "each", PerAlloc: true}, ""},
		{"dynamic, in any mode", api.VolumeRequest{Source: "dynamic"}, ""},
		{"dynamic, to read", api.VolumeRequest{Source: "dynamic", ReadOnly: true, AccessMode: "single-node-reader-only", AttachmentMode: "file-system"}, ""},
		{"dynamic, to write", api.VolumeRequest{Source: "dynamic", AccessMode: "single-node-reader-only", AttachmentMode: "file-system"}, missing},
		{"dynamic, in a mode that it has not", api.VolumeRequest{Source: "dynamic", AccessMode: "single-node-writer", AttachmentMode: "file-system"}, missing},
		{"not ready", api.VolumeRequest{Source: "pending"}, missing},
		{"not there any more", api.VolumeRequest{Source: "gone"}, missing},
		{"of another namespace", api.VolumeRequest{Source: "foreign"}, missing},
		{"a second writer", single, missing},
		{"a reader beside the writer", api.VolumeRequest{Source: "single", ReadOnly: true, AccessMode: "single-node-single-writer", AttachmentMode: "file-system"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.request.Type = "host"
			assert.Equal(t, test.reason, r.reasonFor(newJob("job", asksVolume(test.request))))
		})
	}
}

func TestCSIVolumes(t *testing.T) {
	t.Parallel()
	zone := func(name string) *api.CSITopology { return &api.CSITopology{Segments: map[string]string{"zone": name}} }
	r := newRegion(t, newNode("1", func(n *state.Node) {
		n.CSINodePlugins = map[string]*api.CSIInfo{
			"good": {PluginID: "good", Healthy: true, RequiresTopologies: true, NodeInfo: &api.CSINodeInfo{AccessibleTopology: zone("a")}},
			"ill":  {PluginID: "ill"},
		}
	}))
	volume := func(id, plugin string, change func(*api.CSIVolume)) {
		v := &api.CSIVolume{ID: id, PluginID: plugin, Schedulable: true, AccessMode: api.CSIVolumeAccessModeSingleNodeWriter}
		if change != nil {
			change(v)
		}
		r.csi[id] = v
	}
	r.csi = map[string]*api.CSIVolume{}
	volume("free", "good", nil)
	volume("here", "good", func(v *api.CSIVolume) { v.Topologies = []*api.CSITopology{zone("b"), zone("a")} })
	volume("there", "good", func(v *api.CSIVolume) { v.Topologies = []*api.CSITopology{zone("b")} })
	volume("nowhere", "none", nil)
	volume("ill", "ill", nil)
	volume("unschedulable", "good", func(v *api.CSIVolume) { v.Schedulable = false })
	volume("written", "good", func(v *api.CSIVolume) { v.WriteAllocs = map[string]*api.Allocation{"x": nil} })
	volume("many", "good", func(v *api.CSIVolume) {
		v.WriteAllocs, v.AccessMode = map[string]*api.Allocation{"x": nil}, api.CSIVolumeAccessModeMultiNodeMultiWriter
	})
	volume("readers", "good", func(v *api.CSIVolume) { v.AccessMode = api.CSIVolumeAccessModeMultiNodeReader })
	for _, test := range []struct {
		source   string
		readOnly bool
		reason   string
	}{
		{"none", false, "missing CSI Volume none"},
		{"free", false, ""},
		{"here", false, ""},
		{"there", false, "did not meet topology requirement of CSI volume there"},
		{"nowhere", false, "CSI plugin none is missing from client 1"},
		{"ill", false, "CSI plugin ill is unhealthy on client 1"},
		{"unschedulable", true, "CSI volume unschedulable is unschedulable"},
		{"written", false, "CSI volume written has exhausted its available writer claims"},
		{"written", true, ""},
		{"many", false, ""},
		{"readers", true, ""},
		{"readers", false, "CSI volume readers has exhausted its available writer claims"},
	} {
		t.Run(test.source, func(t *testing.T) {
			t.Parallel()
			job := newJob("job", asksVolume(api.VolumeRequest{Type: "csi", Source: test.source, ReadOnly: test.readOnly}))
			assert.Equal(t, test.reason, r.reasonFor(job))
		})
	}
}

func TestTheWriterOfACSIVolumeMayBeOfThePlan(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1", func(n *state.Node) { n.CSINodePlugins = map[string]*api.CSIInfo{"p": {Healthy: true}} }))
	job := newJob("job", asksVolume(api.VolumeRequest{Type: "csi", Source: "v"}))
	r.csi = map[string]*api.CSIVolume{"v": {ID: "v", PluginID: "p", Schedulable: true,
		AccessMode: api.CSIVolumeAccessModeSingleNodeWriter, WriteAllocs: map[string]*api.Allocation{"job.group.0": nil}}}
	old := allocation(job, job.TaskGroups[0], 0, r.placementOn("1", job))
	r.write(func(tx *state.Tx) { tx.UpsertAllocation(old) })

	selector := r.selector(job)
	placement, _ := selector.Place(requestOf(job))
	assert.Nil(t, placement)
	selector.Remove(old)
	placement, _ = selector.Place(requestOf(job))
	require.NotNil(t, placement)
	selector.Add(allocation(job, job.TaskGroups[0], 1, placement))
	placement, _ = selector.Place(requestOf(job))
	assert.Nil(t, placement)
}

package nomad

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// tableCSIVolumes and tableCSIPlugins are what would have the volumes and the
// plugins of the container storage interface. Nothing is ever in them: no plugin
// can run on the nodes.
const (
	tableCSIVolumes = "csi_volumes"
	tableCSIPlugins = "csi_plugins"
)

// errNoPlugin is about the plugin that is none.
var errNoPlugin = fail(http.StatusInternalServerError, "no such plugin")

func (r *request) csiVolumes() (any, error) {
	if err := r.needIn(r.namespace(), acl.CSIListVolume, acl.CSIReadVolume, acl.CSIMountVolume, acl.ListJobs); err != nil {
		return nil, err
	}
	if _, err := r.perPage(); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		return []*api.CSIVolumeListStub{}, view.Index(tableCSIVolumes), nil
	})
}

func (r *request) csiVolume() (any, error) {
	if err := r.needIn(r.namespace(), acl.CSIReadVolume, acl.CSIMountVolume, acl.ReadJob); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		index := view.Index(tableCSIVolumes)
		return nil, index, notFound("volume not found")
	})
}

// putCSIVolume refuses to create or register a volume, as its plugin is not there.
func (r *request) putCSIVolume() (any, error) {
	var asked api.CSIVolumeRegisterRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if err := r.needIn(r.namespace(), acl.CSIWriteVolume); err != nil {
		return nil, err
	}
	if len(asked.Volumes) == 0 {
		return nil, fail(http.StatusInternalServerError, "missing volume definition")
	}
	for _, volume := range asked.Volumes {
		if wrong := checkCSIVolume(volume); len(wrong) > 0 {
			return nil, fail(http.StatusInternalServerError, "validation: %s", strings.Join(wrong, ", "))
		}
	}
	return nil, fail(http.StatusInternalServerError, "no CSI plugin named: %s could be found", asked.Volumes[0].PluginID)
}

func checkCSIVolume(v *api.CSIVolume) (wrong []string) {
	if v.ID == "" {
		wrong = append(wrong, "missing volume id")
	}
	if v.PluginID == "" {
		wrong = append(wrong, "missing plugin id")
	}
	if len(v.RequestedCapabilities) == 0 {
		wrong = append(wrong, "must include at least one capability block")
	}
	return wrong
}

func (r *request) deleteCSIVolume() (any, error) {
	if err := r.needIn(r.namespace(), acl.CSIWriteVolume); err != nil {
		return nil, err
	}
	if _, err := r.force(); err != nil {
		return nil, err
	}
	return nil, fail(http.StatusInternalServerError, "volume not found: %s", r.PathValue("id"))
}

func (r *request) detachCSIVolume() (any, error) {
	if r.query.Get("node") == "" {
		return nil, badRequest("detach requires node ID")
	}
	if err := r.needIn(r.namespace(), acl.CSIMountVolume); err != nil {
		return nil, err
	}
	return nil, fail(http.StatusInternalServerError, "no such volume")
}

// ofCSIPlugin answers for what only a plugin knows.
func (r *request) ofCSIPlugin() (any, error) {
	if err := r.needIn(r.namespace(), acl.CSIListVolume, acl.CSIReadVolume, acl.CSIMountVolume, acl.ListJobs); err != nil {
		return nil, err
	}
	return nil, errNoPlugin
}

func (r *request) createCSISnapshots() (any, error) {
	var asked api.CSISnapshotCreateRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if err := r.needIn(r.namespace(), acl.CSIWriteVolume); err != nil {
		return nil, err
	}
	var failures []error
	for _, snapshot := range asked.Snapshots {
		failures = append(failures, fmt.Errorf("no such volume %q", snapshot.SourceVolumeID))
	}
	if len(failures) > 0 {
		return nil, fail(http.StatusInternalServerError, "%v", listOf(failures))
	}
	r.setIndex(0)
	return map[string]any{"Snapshots": nil, "Index": 0, "KnownLeader": false, "LastContact": 0, "NextToken": ""}, nil
}

func (r *request) deleteCSISnapshot() (any, error) {
	if err := r.needIn(r.namespace(), acl.CSIWriteVolume); err != nil {
		return nil, err
	}
	return nil, fail(http.StatusInternalServerError, "%v", listOf([]error{errors.New("no such plugin")}))
}

func (r *request) plugins() (any, error) {
	switch r.query.Get("type") {
	case "csi":
	case "":
		return []struct{}{}, nil
	default:
		return nil, nil
	}
	if err := r.need(acl.List, acl.Plugin); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		return []*api.CSIPluginListStub{}, view.Index(tableCSIPlugins), nil
	})
}

func (r *request) csiPlugin() (any, error) {
	if err := r.need(acl.Read, acl.Plugin); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		return nil, view.Index(tableCSIPlugins), notFound("plugin not found")
	})
}

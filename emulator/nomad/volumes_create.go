package nomad

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/client"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// hostVolumeChange is the answer to what makes a volume.
type hostVolumeChange struct {
	Volume   *api.HostVolume
	Warnings string
	Index    uint64
}

// createHostVolume has a node make a volume, or changes one.
func (r *request) createHostVolume() (any, error) {
	volume, old, err := r.hostVolumeAsked(acl.HostVolumeCreate)
	if err != nil {
		return nil, err
	}
	if volume.NodeID == "" {
		node, err := placeHostVolume(r.region.store.View(), volume)
		if err != nil {
			return nil, err
		}
		volume.NodeID, volume.NodePool = node.ID, node.NodePool
	}
	if err := r.checkNodeOfVolume(volume); err != nil {
		return nil, err
	}
	err = r.region.onNode(volume.NodeID, func(c *client.Client) (err error) {
		volume.HostPath, err = c.CreateVolume(volume)
		return err
	})
	if err != nil {
		return nil, fail(http.StatusInternalServerError, "HostVolume.Create error: %v", err)
	}
	return r.putHostVolume(volume, old)
}

// registerHostVolume has a node offer a folder that is there, or changes a volume.
func (r *request) registerHostVolume() (any, error) {
	volume, old, err := r.hostVolumeAsked(acl.HostVolumeRegister)
	if err != nil {
		return nil, err
	}
	switch {
	case volume.NodeID == "":
		return nil, fail(http.StatusInternalServerError, "cannot register volume: node ID is required")
	case volume.HostPath == "":
		return nil, fail(http.StatusInternalServerError, "cannot register volume: host path is required")
	}
	if err := r.checkNodeOfVolume(volume); err != nil {
		return nil, err
	}
	err = r.region.onNode(volume.NodeID, func(c *client.Client) error { return c.RegisterVolume(volume) })
	if err != nil {
		return nil, fail(http.StatusInternalServerError, "HostVolume.Register error: %v", err)
	}
	return r.putHostVolume(volume, old)
}

// hostVolumeAsked is the volume that a request has, and the one of its ID that
// there is already: what it does not say is taken from that.
func (r *request) hostVolumeAsked(capability acl.Capability) (volume, old *api.HostVolume, err error) {
	var asked api.HostVolumeCreateRequest
	if err := r.decode(&asked); err != nil {
		return nil, nil, err
	}
	if volume = asked.Volume; volume == nil {
		return nil, nil, fail(http.StatusInternalServerError, "missing volume definition")
	}
	if volume.Namespace == "" || r.has("namespace") {
		volume.Namespace = r.namespace()
	}
	if err := r.needIn(volume.Namespace, capability); err != nil {
		return nil, nil, err
	}
	registers := capability == acl.HostVolumeRegister
	if registers && volume.NodeID == "" {
		return volume, nil, nil // which comes before all else
	}
	view := r.region.store.View()
	if err := checkHostVolume(view, volume); err != nil {
		return nil, nil, fail(http.StatusInternalServerError, "volume validation failed: %v", err)
	}
	volume.Allocations = nil
	if volume.ID == "" {
		volume.ID = uuid.NewString()
		return volume, nil, nil
	}
	if old = view.HostVolume(volume.ID); old == nil {
		return nil, nil, fail(http.StatusInternalServerError, "cannot update volume %q: volume does not exist", volume.ID)
	}
	return volume, old, joinHostVolume(volume, old)
}

// joinHostVolume takes over what a change of a volume does not say. Where it is
// cannot be changed.
func joinHostVolume(volume, old *api.HostVolume) error {
	var wrong []error
	if volume.NodeID != "" && volume.NodeID != old.NodeID {
		wrong = append(wrong, fmt.Errorf("node ID cannot be updated"))
	}
	if volume.NodePool != "" && volume.NodePool != old.NodePool {
		wrong = append(wrong, fmt.Errorf("node pool cannot be updated"))
	}
	if len(wrong) > 0 {
		return fail(http.StatusInternalServerError, "validating volume %q update failed: %v", volume.ID, listOf(wrong))
	}
	volume.NodeID, volume.NodePool, volume.CreateTime = old.NodeID, old.NodePool, old.CreateTime
	volume.PluginID = cmp.Or(volume.PluginID, old.PluginID)
	volume.HostPath = cmp.Or(volume.HostPath, old.HostPath)
	return nil
}

// checkNodeOfVolume is an error unless the node is there, and in the pool.
func (r *request) checkNodeOfVolume(volume *api.HostVolume) error {
	wrong := func(format string, args ...any) error {
		name := volume.Name
		if r.region.store.View().HostVolume(volume.ID) != nil || name == "" {
			name = volume.ID
		}
		return fail(http.StatusInternalServerError, "validating volume %q against state failed: "+format, append([]any{name}, args...)...)
	}
	if err := lookupID("node", volume.NodeID); err != nil {
		return wrong("%v", err)
	}
	node := r.region.store.View().Node(volume.NodeID)
	switch {
	case node == nil:
		return wrong("node %q does not exist", volume.NodeID)
	case volume.NodePool != "" && volume.NodePool != node.NodePool:
		return wrong("node ID %q is not in pool %q", node.ID, volume.NodePool)
	}
	volume.NodePool = node.NodePool
	return nil
}

// onNode has a node do something; an error when it is gone.
func (r *region) onNode(id string, do func(*client.Client) error) error {
	c := r.client(id)
	if c == nil {
		return errNoNode
	}
	return do(c)
}

// putHostVolume writes a volume that its node offers already.
func (r *request) putHostVolume(volume, old *api.HostVolume) (any, error) {
	answer := hostVolumeChange{}
	err := r.write(func(tx *state.Tx) error {
		volume.State, volume.ModifyTime = api.HostVolumeStatePending, tx.Now().UnixNano()
		if old == nil {
			volume.CreateTime = volume.ModifyTime
		}
		told := *volume
		answer.Volume, answer.Index = &told, tx.ChangeIndex()
		tx.UpsertHostVolume(volume)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, r.region.store.Write(func(tx *state.Tx) error {
		if node := tx.Node(volume.NodeID); node != nil {
			markHostVolumes(tx, node)
		}
		return nil
	})
}

// markHostVolumes writes of a node's volumes whether they can be used: those
// that it offers, unless it is down.
func markHostVolumes(tx *state.Tx, node *state.Node) {
	for _, v := range slices.Collect(tx.HostVolumesOfNode(node.ID)) {
		to := v.State
		switch {
		case node.Status == api.NodeStatusDown:
			to = api.HostVolumeStateUnavailable
		case offers(node, v):
			to = api.HostVolumeStateReady
		}
		if to != v.State {
			tx.SetHostVolumeState(v, to)
		}
	}
}

// offers tells whether a node has a volume.
func offers(node *state.Node, v *api.HostVolume) bool {
	info := node.HostVolumes[v.Name]
	return info != nil && info.ID == v.ID
}

package nomad

import (
	"net/http"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// volumeHost is the type of volumes of nodes, as jobs ask for them.
const volumeHost = "host"

func (r *request) hostVolumes() (any, error) {
	visible, err := r.visibleIn(acl.HostVolumeRead)
	if err != nil {
		return nil, err
	}
	node, pool := r.query.Get("node_id"), r.query.Get("node_pool")
	return r.block(func(view *state.View) (any, uint64, error) {
		list, err := page(r, view.HostVolumes(r.query.Get("prefix")),
			func(v *api.HostVolume) position { return position{name: v.ID} },
			func(v *api.HostVolume) (*api.HostVolumeStub, bool) {
				return hostVolumeStub(v), visible(v.Namespace) && (node == "" || v.NodeID == node) && (pool == "" || v.NodePool == pool)
			})
		return list, view.Index(state.TableHostVolumes), err
	})
}

// hostVolumeStub is what lists tell of a volume.
func hostVolumeStub(v *api.HostVolume) *api.HostVolumeStub {
	return &api.HostVolumeStub{
		Namespace: v.Namespace, ID: v.ID, Name: v.Name, PluginID: v.PluginID, NodePool: v.NodePool, NodeID: v.NodeID,
		CapacityBytes: v.CapacityBytes, State: v.State, CreateIndex: v.CreateIndex, CreateTime: v.CreateTime,
		ModifyIndex: v.ModifyIndex, ModifyTime: v.ModifyTime,
	}
}

func (r *request) hostVolume() (any, error) {
	if err := r.needIn(r.namespace(), acl.HostVolumeRead); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		index := view.Index(state.TableHostVolumes)
		v := view.HostVolume(r.PathValue("id"))
		if v == nil || v.Namespace != r.namespace() {
			return nil, index, notFound("volume not found")
		}
		answer := *v
		for a := range usersOfVolume(view, v) {
			answer.Allocations = append(answer.Allocations, allocationStub(a))
		}
		return answer, index, nil
	})
}

// usersOfVolume are the allocations that have a volume and may still run.
func usersOfVolume(view *state.View, v *api.HostVolume) func(yield func(*state.Allocation) bool) {
	return func(yield func(*state.Allocation) bool) {
		for a := range view.AllocationsOfNode(v.NodeID) {
			if !a.ClientTerminal() && a.Namespace == v.Namespace && hasVolume(a, v.Name) && !yield(a) {
				return
			}
		}
	}
}

// hasVolume tells whether an allocation has the node's volume of that name.
func hasVolume(a *state.Allocation, name string) bool {
	group := a.Group()
	if group == nil {
		return false
	}
	for _, request := range group.Volumes {
		if request.Type == volumeHost && jobs.VolumeSource(request, a.Name) == name {
			return true
		}
	}
	return false
}

// deleteHostVolume removes a volume, with what is in it if it was made here.
func (r *request) deleteHostVolume() (any, error) {
	id := r.PathValue("id")
	if err := r.needIn(r.namespace(), acl.HostVolumeDelete); err != nil {
		return nil, err
	}
	force, err := r.force()
	if err != nil {
		return nil, err
	}
	view := r.region.store.View()
	volume := view.HostVolume(id)
	if volume == nil || volume.Namespace != r.namespace() {
		return nil, fail(http.StatusInternalServerError, "no such volume: %s", id)
	}
	var users []string
	for a := range usersOfVolume(view, volume) {
		users = append(users, a.ID)
	}
	if len(users) > 0 {
		slices.Sort(users)
		return nil, fail(http.StatusInternalServerError, "volume %s in use by allocations: %v", id, users)
	}
	if err := r.region.removeHostVolume(volume); err != nil && !force {
		return nil, fail(http.StatusInternalServerError, "HostVolume.Delete error: %v", err)
	}
	var answer struct{ Index uint64 }
	return &answer, r.write(func(tx *state.Tx) error {
		answer.Index = tx.ChangeIndex()
		if now := tx.HostVolume(id); now != nil {
			tx.DeleteHostVolume(now)
		}
		return nil
	})
}

// force reads the parameter force.
func (r *request) force() (bool, error) {
	switch r.query.Get("force") {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, badRequest("invalid force value")
}

// removeHostVolume has the volume's node remove it.
func (r *region) removeHostVolume(v *api.HostVolume) error {
	c := r.client(v.NodeID)
	if c == nil {
		return errNoNode
	}
	return c.DeleteVolume(v)
}

func (r *request) volumeClaims() (any, error) {
	if err := r.needIn(r.namespace(), acl.HostVolumeRead); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		return []*api.TaskGroupHostVolumeClaim{}, view.Index(state.TableHostVolumes), nil
	})
}

func (r *request) deleteVolumeClaim() (any, error) {
	if err := r.needIn(r.namespace(), acl.HostVolumeWrite); err != nil {
		return nil, err
	}
	return nil, fail(http.StatusInternalServerError, "Task group volume claim does not exist")
}

package state

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableHostVolumes has the volumes of nodes that were made at runtime.
const TableHostVolumes = "host_volumes"

func hostVolumeTables() store.Schema {
	return store.Schema{TableHostVolumes: store.Rows[api.HostVolume](
		store.Unique("id", store.By(func(v *api.HostVolume) []string { return []string{v.ID} })),
		store.Many("node", store.By(func(v *api.HostVolume) []string { return []string{v.NodeID, v.Name} })))}
}

// HostVolume finds a volume by its ID; nil when there is none.
func (v *View) HostVolume(id string) *api.HostVolume {
	return store.First[api.HostVolume](v.View, TableHostVolumes, "id", id)
}

// HostVolumes are those whose ID begins with the prefix, by ID.
func (v *View) HostVolumes(prefix string) iter.Seq[*api.HostVolume] {
	return store.All[api.HostVolume](v.View, TableHostVolumes, "id_prefix", prefix)
}

// HostVolumesOfNode are those of a node, by name.
func (v *View) HostVolumesOfNode(node string) iter.Seq[*api.HostVolume] {
	return store.All[api.HostVolume](v.View, TableHostVolumes, "node_prefix", node, "")
}

// UpsertHostVolume writes a volume, which becomes the row. The indexes are set here.
func (tx *Tx) UpsertHostVolume(v *api.HostVolume) {
	v.ModifyIndex, v.CreateIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.HostVolume(v.ID); old != nil {
		v.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableHostVolumes, v)
}

// SetHostVolumeState changes what state a volume is in.
func (tx *Tx) SetHostVolumeState(v *api.HostVolume, to api.HostVolumeState) {
	next := *v
	next.State = to
	tx.UpsertHostVolume(&next)
}

// DeleteHostVolume forgets a volume.
func (tx *Tx) DeleteHostVolume(v *api.HostVolume) { tx.Delete(TableHostVolumes, v) }

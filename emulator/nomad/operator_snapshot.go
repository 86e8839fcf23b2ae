package nomad

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/archive"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func snapshotRoutes() []route {
	const foreign = "an archive is read only by what has made it: the real program and this one have states of their own"
	return []route{
		partial(http.MethodGet, "/v1/operator/snapshot", (*request).saveSnapshot, foreign),
		partial(http.MethodPut, "/v1/operator/snapshot", (*request).restoreSnapshot, foreign),
	}
}

// saveSnapshot answers an archive of the whole state of a region.
func (r *request) saveSnapshot() (any, error) {
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	var content, saved bytes.Buffer
	index, err := r.region.store.Snapshot(&content)
	if err != nil {
		return nil, err
	}
	of := archive.Meta{Index: index, Server: r.region.id, Address: r.region.rpcAddress()}
	if err := archive.Write(&saved, of, content.Bytes()); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(saved.Bytes())
	r.header.Set("Digest", "sha-256="+base64.StdEncoding.EncodeToString(sum[:]))
	r.header.Set("Content-Type", "application/x-gzip")
	return text(saved.Bytes()), nil
}

// restoreSnapshot replaces the state of a region by that of an archive. One
// that is broken changes nothing.
func (r *request) restoreSnapshot() (any, error) {
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	content, err := archive.Read(r.stream)
	if err == nil {
		err = r.region.store.Restore(bytes.NewReader(content))
	}
	if err != nil {
		return nil, fail(http.StatusInternalServerError, "failed to restore from snapshot: %v", err)
	}
	r.region.awaitNodes(r.region.store.View())
	return nil, r.region.store.Write(r.region.rejoinVolumes)
}

// rejoinVolumes gives nodes the volumes that they have, whatever a snapshot says.
func (r *region) rejoinVolumes(tx *state.Tx) error {
	for _, c := range r.nodes.all() {
		now := c.Node()
		if now == nil {
			continue
		}
		row := tx.Node(now.ID)
		if row == nil {
			continue // it registers anew
		}
		tx.UpdateNode(row, func(n *state.Node) { n.HostVolumes = now.HostVolumes })
		for _, v := range slices.Collect(tx.HostVolumesOfNode(now.ID)) {
			if !offers(tx.Node(now.ID), v) {
				tx.SetHostVolumeState(v, api.HostVolumeStateUnavailable)
			}
		}
	}
	return nil
}

// awaitNodes has the nodes be heard of within the time that any of them has.
// Those that are not here any more are down after that.
func (r *region) awaitNodes(view *state.View) {
	for node := range view.Nodes() {
		if node.Status != api.NodeStatusDown {
			r.heartbeats.set(node.ID, time.Now().Add(heartbeatEvery+heartbeatGrace))
		}
	}
}

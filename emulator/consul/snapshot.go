package consul

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/drydock/drydock/emulator/archive"
	"github.com/drydock/drydock/emulator/consul/acl"
)

func snapshotRoutes() []route {
	const foreign = "an archive is read only by what has made it: the real program and this one have states of their own"
	return []route{
		partial(http.MethodGet, "/v1/snapshot", saveSnapshot, foreign),
		partial(http.MethodPut, "/v1/snapshot", restoreSnapshot, foreign),
	}
}

// saveSnapshot answers an archive of the whole state of a datacenter.
func saveSnapshot(r *request) (any, error) {
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	var content bytes.Buffer
	index, err := r.dc.store.Snapshot(&content)
	if err != nil {
		return nil, err
	}
	var saved bytes.Buffer
	of := archive.Meta{Index: index, Server: r.dc.server().ID, Address: r.dc.leader()}
	if err := archive.Write(&saved, of, content.Bytes()); err != nil {
		return nil, err
	}
	r.setIndex(index)
	r.header.Set("Content-Type", "application/x-gzip")
	return text(saved.Bytes()), nil
}

// restoreSnapshot replaces the state of a datacenter by that of an archive.
// One that is broken changes nothing.
func restoreSnapshot(r *request) (any, error) {
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	content, err := archive.Read(r.stream)
	if err != nil {
		return nil, err
	}
	if err := r.dc.store.Restore(bytes.NewReader(content)); err != nil {
		return nil, fmt.Errorf("failed to restore snapshot: %w", err)
	}
	for _, a := range r.dc.agents {
		a.sync() // what is registered with it is not what the archive has
	}
	return nil, nil
}

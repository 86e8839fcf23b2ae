package consul

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/drydock/drydock/emulator/consul/acl"
)

func snapshotRoutes() []route {
	const foreign = "an archive is read only by what has made it: the real program and this one have states of their own"
	return []route{
		{http.MethodGet, "/v1/snapshot", saveSnapshot, partial, foreign},
		{http.MethodPut, "/v1/snapshot", restoreSnapshot, partial, foreign},
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
	server := r.dc.server()
	var archive bytes.Buffer
	err = writeArchive(&archive, archiveMeta{
		Version: archiveVersion,
		ID:      fmt.Sprintf("%d-%d-%d", raftTerm, index, time.Now().UnixMilli()),
		Index:   index,
		Term:    raftTerm,
		Configuration: archiveServers{[]archiveServer{
			{ID: server.ID, Address: r.dc.leader()},
		}},
		ConfigurationIndex: 1,
		Size:               int64(content.Len()),
	}, content.Bytes())
	if err != nil {
		return nil, fmt.Errorf("write the snapshot's archive: %w", err)
	}
	r.setIndex(index)
	r.header.Set("Content-Type", "application/x-gzip")
	return text(archive.Bytes()), nil
}

// restoreSnapshot replaces the state of a datacenter by that of an archive.
// One that is broken changes nothing.
func restoreSnapshot(r *request) (any, error) {
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	content, err := readArchive(r.stream)
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

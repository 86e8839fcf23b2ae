package nomad

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// nodesOfPool lists the nodes of a pool, as the list of all nodes does.
func (r *request) nodesOfPool() (any, error) {
	name := r.PathValue("name")
	if err := r.need(acl.Read, acl.Node); err != nil {
		return nil, err
	}
	if err := r.needNodePool(name, acl.ReadNodePool); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list, err := page(r, view.NodesOfPool(name),
			func(n *state.Node) position { return position{name: n.ID} },
			func(n *state.Node) (*nodeStub, bool) { return r.nodeStub(n), true })
		return list, tableIndex(view, state.TableNodes), err
	})
}

// jobsOfPool lists the jobs of a pool, as the list of all jobs does.
func (r *request) jobsOfPool() (any, error) {
	name := r.PathValue("name")
	if err := r.needNodePool(name, acl.ReadNodePool); err != nil {
		return nil, err
	}
	may, err := r.may()
	if err != nil {
		return nil, err
	}
	return r.listJobsThat(func(job *api.Job) bool {
		return *job.NodePool == name && may.Namespace(*job.Namespace, acl.ListJobs)
	})
}

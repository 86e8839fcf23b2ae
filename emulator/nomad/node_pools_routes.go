package nomad

import (
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func nodePoolRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/node/pools", (*request).nodePools),
		faithful(http.MethodPut, "/v1/node/pools", (*request).putNodePool),
		faithful(http.MethodGet, "/v1/node/pool/{name...}", (*request).nodePool),
		faithful(http.MethodPut, "/v1/node/pool/{name...}", (*request).putNodePool),
		faithful(http.MethodDelete, "/v1/node/pool/{name...}", (*request).deleteNodePool),
		faithful(http.MethodGet, "/v1/node/pool/{name...}/nodes", (*request).nodesOfPool),
		faithful(http.MethodGet, "/v1/node/pool/{name...}/jobs", (*request).jobsOfPool),
	}
}

var nodePoolNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[a-zA-Z0-9-_]{1,128}$") })

// nodeIdentityTTL is how long the identity of a node holds whose pool does not say it.
const nodeIdentityTTL = 24 * time.Hour

// nodePoolAnswer is a node pool as it is told.
type nodePoolAnswer struct {
	Name                   string
	Description            string
	Meta                   map[string]string
	NodeIdentityTTL        time.Duration
	SchedulerConfiguration *api.NodePoolSchedulerConfiguration
	Hash                   []byte
	CreateIndex            uint64
	ModifyIndex            uint64
}

func answerOfPool(p *api.NodePool) nodePoolAnswer {
	answer := nodePoolAnswer{
		p.Name, p.Description, p.Meta, p.NodeIdentityTTL, p.SchedulerConfiguration, state.NodePoolHash(p), p.CreateIndex, p.ModifyIndex,
	}
	if answer.NodeIdentityTTL == 0 {
		answer.NodeIdentityTTL = nodeIdentityTTL
	}
	return answer
}

func (r *request) nodePools() (any, error) {
	may, err := r.may()
	if err != nil {
		return nil, err
	}
	at := func(p *api.NodePool) position { return position{name: p.Name} }
	return r.block(func(view *state.View) (any, uint64, error) {
		list, err := page(r, view.NodePools(r.query.Get("prefix")), at, func(p *api.NodePool) (nodePoolAnswer, bool) {
			return answerOfPool(p), may.NodePool(p.Name, acl.ReadNodePool)
		})
		return list, tableIndex(view, state.TableNodePools), err
	})
}

// needNodePool is an error unless the caller has the capability for the pool.
func (r *request) needNodePool(name string, capability acl.Capability) error {
	may, err := r.may()
	if err != nil {
		return err
	}
	if !may.NodePool(name, capability) {
		return errDenied
	}
	return nil
}

func (r *request) nodePool() (any, error) {
	name := r.PathValue("name")
	if err := r.needNodePool(name, acl.ReadNodePool); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		p := view.NodePool(name)
		if p == nil {
			return nil, tableIndex(view, state.TableNodePools), notFound("node pool not found")
		}
		return answerOfPool(p), p.ModifyIndex, nil
	})
}

// putNodePool creates a node pool, or changes it, in all regions.
func (r *request) putNodePool() (any, error) {
	pool := &api.NodePool{}
	if err := r.decode(pool); err != nil {
		return nil, err
	}
	if name := r.PathValue("name"); name != "" && pool.Name != name {
		return nil, badRequest("Node pool name does not match request path")
	}
	if err := r.needNodePool(pool.Name, acl.WriteNodePool); err != nil {
		return nil, err
	}
	if err := checkNodePool(pool); err != nil {
		return nil, badRequest("invalid node pool %q: %v", pool.Name, err)
	}
	if state.BuiltInNodePool(pool.Name) {
		return nil, badRequest("modifying node pool %q is not allowed", pool.Name)
	}
	if pool.SchedulerConfiguration != nil {
		return nil, fail(http.StatusInternalServerError, `Feature "Node Pools Governance" is unlicensed`)
	}
	return nil, r.writeEverywhere(func(tx *state.Tx) error {
		own := *pool
		tx.UpsertNodePool(&own)
		return nil
	})
}

// checkNodePool finds everything that is wrong with a node pool.
func checkNodePool(p *api.NodePool) error {
	var problems *multierror.Error
	if !nodePoolNames().MatchString(p.Name) {
		problems = multierror.Append(problems, fmt.Errorf("invalid name %q, must match regex %s", p.Name, nodePoolNames()))
	}
	if len(p.Description) > maxDescription {
		problems = multierror.Append(problems, fmt.Errorf("description longer than %d", maxDescription))
	}
	return problems.ErrorOrNil()
}

// deleteNodePool removes a node pool in which nothing is.
func (r *request) deleteNodePool() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("node pool name is empty")
	}
	if err := r.needNodePool(name, acl.DeleteNodePool); err != nil {
		return nil, err
	}
	if err := r.region.nomad.checkEmpty(fmt.Sprintf("node pool %q", name), []use{
		{"has non-terminal jobs", func(view *state.View) bool { return poolHasJobs(view, name) }},
		{"has nodes", func(view *state.View) bool { return poolHasNodes(view, name) }},
	}); err != nil {
		return nil, err
	}
	if state.BuiltInNodePool(name) {
		return nil, fmt.Errorf("deleting node pool %q is not allowed", name)
	}
	if r.region.authority().store.View().NodePool(name) == nil {
		return nil, fmt.Errorf("node pool %s not found", name)
	}
	return nil, r.writeEverywhere(func(tx *state.Tx) error {
		if p := tx.NodePool(name); p != nil {
			tx.DeleteNodePool(p)
		}
		return nil
	})
}

func poolHasJobs(view *state.View, pool string) bool {
	for job := range view.Jobs() {
		if job.NodePool != nil && *job.NodePool == pool && *job.Status != state.JobDead {
			return true
		}
	}
	return false
}

func poolHasNodes(view *state.View, pool string) bool {
	for n := range view.Nodes() {
		if n.NodePool == pool {
			return true
		}
	}
	return false
}

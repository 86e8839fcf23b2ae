package nomad

import (
	"errors"
	"iter"
	"net/http"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/deployments"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func deploymentRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/deployments", (*request).deployments),
		faithful(http.MethodGet, "/v1/deployment/{id}", (*request).deployment),
		faithful(http.MethodGet, "/v1/deployment/allocations/{id}", (*request).deploymentAllocations),
		faithful(http.MethodPut, "/v1/deployment/pause/{id}", (*request).pauseDeployment),
		faithful(http.MethodPut, "/v1/deployment/promote/{id}", (*request).promoteDeployment),
		faithful(http.MethodPut, "/v1/deployment/fail/{id}", (*request).failDeployment),
		faithful(http.MethodPut, "/v1/deployment/unblock/{id}", (*request).unblockDeployment),
		faithful(http.MethodPut, "/v1/deployment/allocation-health/{id}", (*request).setDeploymentHealth),
	}
}

// deploymentRows are those that a list begins with, and where they stand in it.
func deploymentRows(view *state.View, prefix string) (iter.Seq[*api.Deployment], func(*api.Deployment) position) {
	if prefix != "" {
		return view.DeploymentsWithPrefix(prefix), func(d *api.Deployment) position { return position{name: d.ID} }
	}
	return view.Deployments(), func(d *api.Deployment) position { return position{d.CreateIndex, d.ID} }
}

func (r *request) deployments() (any, error) {
	visible, err := r.visibleIn(acl.ReadJob)
	if err != nil {
		return nil, err
	}
	prefix := r.query.Get("prefix")
	if err := lookupPrefix("", prefix); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		rows, at := deploymentRows(view, prefix)
		list, err := page(r, rows, at, func(d *api.Deployment) (*api.Deployment, bool) { return d, visible(d.Namespace) })
		return list, view.Index(state.TableDeployments), err
	})
}

func (r *request) deployment() (any, error) {
	id := r.PathValue("id")
	if err := lookupID("deployment", id); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		d := view.Deployment(id)
		if d == nil {
			return nil, view.Index(state.TableDeployments), notFound("deployment not found")
		}
		if err := r.needIn(d.Namespace, acl.ReadJob); err != nil {
			return nil, 0, err
		}
		return d, d.ModifyIndex, nil
	})
}

func (r *request) deploymentAllocations() (any, error) {
	if err := r.needIn(r.namespace(), acl.ReadJob); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	return r.block(func(view *state.View) (any, uint64, error) {
		stubs, index := allocationStubs(view.AllocationsOfDeployment(id))
		return stubs, index, nil
	})
}

// deploymentChange is the answer to what changes a deployment.
type deploymentChange struct {
	EvalID                string
	EvalCreateIndex       uint64
	DeploymentModifyIndex uint64
	RevertedJobVersion    *uint64
	Index                 uint64
}

// changeDeployment changes the deployment that the path names. Change returns
// the evaluation that follows, if any, and the version that the job goes back to.
func (r *request) changeDeployment(cause string, change func(*state.Tx, *api.Deployment) (*api.Evaluation, *uint64, error)) (any, error) {
	id := r.PathValue("id")
	if err := lookupID("deployment", id); err != nil {
		return nil, err
	}
	var answer deploymentChange
	err := r.write(func(tx *state.Tx) error {
		tx.About(cause)
		d := tx.Deployment(id)
		if d == nil {
			return notFound("deployment not found")
		}
		if err := r.needIn(d.Namespace, acl.SubmitJob); err != nil {
			return err
		}
		e, reverted, err := change(tx, d)
		var refused deployments.RefusedError
		if errors.As(err, &refused) {
			return fail(http.StatusInternalServerError, "%s", refused)
		}
		answer = deploymentChange{DeploymentModifyIndex: tx.ChangeIndex(), Index: tx.ChangeIndex(), RevertedJobVersion: reverted}
		if e != nil {
			answer.EvalID, answer.EvalCreateIndex = e.ID, tx.ChangeIndex()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (r *request) pauseDeployment() (any, error) {
	var asked api.DeploymentPauseRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	return r.changeDeployment("DeploymentStatusUpdate", func(tx *state.Tx, d *api.Deployment) (*api.Evaluation, *uint64, error) {
		e, err := deployments.Pause(tx, d, asked.Pause)
		return e, nil, err
	})
}

func (r *request) promoteDeployment() (any, error) {
	var asked api.DeploymentPromoteRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	groups := asked.Groups
	switch {
	case asked.All:
		groups = nil
	case len(groups) == 0:
		return nil, badRequest("must specify at least one group to promote, or all of them")
	}
	return r.changeDeployment("DeploymentPromotion", func(tx *state.Tx, d *api.Deployment) (*api.Evaluation, *uint64, error) {
		e, err := deployments.Promote(tx, d, groups)
		return e, nil, err
	})
}

func (r *request) failDeployment() (any, error) {
	return r.changeDeployment("DeploymentStatusUpdate", deployments.Fail)
}

// unblockDeployment changes nothing: only deployments over several regions are
// ever blocked, which the community edition does not have.
func (r *request) unblockDeployment() (any, error) {
	return r.changeDeployment("DeploymentStatusUpdate", func(*state.Tx, *api.Deployment) (*api.Evaluation, *uint64, error) {
		return nil, nil, nil
	})
}

func (r *request) setDeploymentHealth() (any, error) {
	var asked api.DeploymentAllocHealthRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if len(asked.HealthyAllocationIDs)+len(asked.UnhealthyAllocationIDs) == 0 {
		return nil, badRequest("must specify at least one healthy or unhealthy allocation ID")
	}
	return r.changeDeployment("DeploymentAllocHealth", func(tx *state.Tx, d *api.Deployment) (*api.Evaluation, *uint64, error) {
		return deployments.SetHealth(tx, d, deployments.Health{Healthy: asked.HealthyAllocationIDs, Unhealthy: asked.UnhealthyAllocationIDs})
	})
}

package state

import (
	"iter"
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableDeployments has the deployments.
const TableDeployments = "deployment"

func deploymentTables() store.Schema {
	return store.Schema{TableDeployments: store.Rows[api.Deployment](
		store.Unique("id", store.By(func(d *api.Deployment) []string { return []string{d.ID} })),
		store.Many("created", store.By(func(d *api.Deployment) []string { return []string{number(d.CreateIndex), d.ID} })),
		store.Many("job", store.By(func(d *api.Deployment) []string {
			return []string{d.Namespace, d.JobID, number(d.CreateIndex)}
		})))}
}

// Deployment finds a deployment by its ID; nil when there is none.
func (v *View) Deployment(id string) *api.Deployment {
	return store.First[api.Deployment](v.View, TableDeployments, "id", id)
}

// Deployments are all deployments, in the order in which they were created.
func (v *View) Deployments() iter.Seq[*api.Deployment] {
	return store.All[api.Deployment](v.View, TableDeployments, "created")
}

// DeploymentsOfJob are those of a job, oldest first, also of earlier jobs of
// that name: their JobCreateIndex tells.
func (v *View) DeploymentsOfJob(namespace, job string) iter.Seq[*api.Deployment] {
	return store.All[api.Deployment](v.View, TableDeployments, "job_prefix", namespace, job, "")
}

// LatestDeployment is the newest of a job; nil when it has none.
func (v *View) LatestDeployment(namespace, job string) *api.Deployment {
	var latest *api.Deployment
	for d := range v.DeploymentsOfJob(namespace, job) {
		latest = d
	}
	return latest
}

// DeploymentActive tells whether the deployment is still going on.
func DeploymentActive(d *api.Deployment) bool {
	switch d.Status {
	case api.DeploymentStatusFailed, api.DeploymentStatusCancelled, api.DeploymentStatusSuccessful:
		return false
	}
	return true
}

// UpsertDeployment writes a deployment, which becomes the row. The indexes and
// times are set here.
func (tx *Tx) UpsertDeployment(d *api.Deployment) {
	index, now := tx.ChangeIndex(), tx.Now().UnixNano()
	d.ModifyIndex, d.ModifyTime = index, now
	if old := tx.Deployment(d.ID); old != nil {
		d.CreateIndex, d.CreateTime = old.CreateIndex, old.CreateTime
	} else {
		d.CreateIndex, d.CreateTime = index, now
	}
	tx.Insert(TableDeployments, d)
}

// UpdateDeployment changes a deployment: the copy that change gets is written.
// Its groups are copies too, but not what they point to.
func (tx *Tx) UpdateDeployment(old *api.Deployment, change func(*api.Deployment)) {
	next := *old
	next.TaskGroups = maps.Clone(old.TaskGroups)
	for name, group := range next.TaskGroups {
		own := *group
		own.PlacedCanaries = slices.Clone(group.PlacedCanaries)
		next.TaskGroups[name] = &own
	}
	change(&next)
	tx.UpsertDeployment(&next)
}

// countDeployment counts an allocation that was placed in a deployment, or
// whose health has become known there.
func (tx *Tx) countDeployment(old, next *Allocation) {
	if next.DeploymentID == "" {
		return
	}
	placed := old == nil || old.DeploymentID != next.DeploymentID
	was := health(old)
	if placed {
		was = nil
	}
	is := health(next)
	if !placed && same(was, is) {
		return
	}
	d := tx.Deployment(next.DeploymentID)
	if d == nil || d.TaskGroups[next.TaskGroup] == nil {
		return
	}
	tx.UpdateDeployment(d, func(d *api.Deployment) {
		group := d.TaskGroups[next.TaskGroup]
		if placed {
			group.PlacedAllocs++
			if next.DeploymentStatus != nil && next.DeploymentStatus.Canary {
				group.PlacedCanaries = append(group.PlacedCanaries, next.ID)
			}
			if group.ProgressDeadline > 0 && group.RequireProgressBy.IsZero() {
				group.RequireProgressBy = tx.Now().Add(group.ProgressDeadline)
			}
		}
		moveHealth(group, was, -1)
		moveHealth(group, is, +1)
		if is != nil && *is && group.ProgressDeadline > 0 {
			group.RequireProgressBy = next.DeploymentStatus.Timestamp.Add(group.ProgressDeadline)
		}
	})
}

// health is that of an allocation in its deployment; nil when it is not known.
func health(a *Allocation) *bool {
	if a == nil || a.DeploymentStatus == nil {
		return nil
	}
	return a.DeploymentStatus.Healthy
}

func same(a, b *bool) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

func moveHealth(group *api.DeploymentState, healthy *bool, by int) {
	switch {
	case healthy == nil:
	case *healthy:
		group.HealthyAllocs += by
	default:
		group.UnhealthyAllocs += by
	}
}

// DeploymentsWithPrefix are those whose ID begins with the prefix, by ID.
func (v *View) DeploymentsWithPrefix(prefix string) iter.Seq[*api.Deployment] {
	return store.All[api.Deployment](v.View, TableDeployments, "id_prefix", prefix)
}

// DeleteDeployment forgets a deployment.
func (tx *Tx) DeleteDeployment(d *api.Deployment) { tx.Delete(TableDeployments, d) }

package nomad

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// How long what has ended is kept, and how often that is looked at: the real
// servers' defaults.
const (
	gcEvery           = 5 * time.Minute
	gcEvaluations     = time.Hour
	gcBatchEvaluation = 24 * time.Hour
	gcJobs            = 4 * time.Hour
	gcDeployments     = time.Hour
	gcNodes           = 24 * time.Hour
)

// collectGarbage forgets, from time to time, what has ended long ago.
func (r *region) collectGarbage(ctx context.Context) {
	ticks := time.NewTicker(gcEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			if err := r.collect(false); err != nil {
				r.nomad.log.Error("what has ended long ago cannot be forgotten", "error", err)
			}
		}
	}
}

// collect forgets what has ended: with force whenever that was.
func (r *region) collect(force bool) error {
	return r.store.Write(func(tx *state.Tx) error {
		g := garbage{tx: tx, now: tx.Now(), force: force}
		g.jobs()
		g.evaluations()
		g.deployments()
		g.nodes()
		tx.ForgetPlacedJobs()
		return nil
	})
}

// garbage is one collection.
type garbage struct {
	tx    *state.Tx
	now   time.Time
	force bool
}

// old tells whether a time, in nanoseconds since 1970, is longer ago than the threshold.
func (g garbage) old(at int64, threshold time.Duration) bool {
	return g.force || g.now.Sub(time.Unix(0, at)) > threshold
}

// jobs forgets the dead jobs of which everything has ended.
func (g garbage) jobs() {
	for _, job := range slices.Collect(g.tx.Jobs()) {
		waits := job.IsPeriodic() || job.IsParameterized() && !job.Dispatched
		stopped := job.Stop != nil && *job.Stop
		if *job.Status != state.JobDead || waits && !stopped || !g.old(*job.SubmitTime, gcJobs) {
			continue
		}
		evaluations := slices.Collect(g.tx.EvaluationsOfJob(*job.Namespace, *job.ID))
		if slices.ContainsFunc(evaluations, func(e *api.Evaluation) bool { return !g.ended(e, 0) }) {
			continue
		}
		for _, e := range evaluations {
			g.forget(e)
		}
		g.tx.DeleteJob(job)
	}
}

// evaluations forgets those that have ended, with their allocations. Those of
// a batch job are kept as long as it is registered: they say that it has run.
func (g garbage) evaluations() {
	for _, e := range slices.Collect(g.tx.Evaluations()) {
		threshold := gcEvaluations
		if e.Type == api.JobTypeBatch || e.Type == api.JobTypeSysbatch {
			threshold = gcBatchEvaluation
			job := g.tx.Job(e.Namespace, e.JobID)
			if job != nil && (job.Stop == nil || !*job.Stop) {
				continue
			}
		}
		if g.ended(e, threshold) {
			g.forget(e)
		}
	}
}

// ended tells whether an evaluation and all that it has placed have ended, so long ago.
func (g garbage) ended(e *api.Evaluation, threshold time.Duration) bool {
	if !state.EvaluationTerminal(e) || threshold > 0 && !g.old(e.ModifyTime, threshold) {
		return false
	}
	for a := range g.tx.AllocationsOfEvaluation(e.ID) {
		if !g.endedAllocation(a, threshold) {
			return false
		}
	}
	return true
}

// endedAllocation tells whether an allocation has ended, and none is to follow it.
func (g garbage) endedAllocation(a *state.Allocation, threshold time.Duration) bool {
	if !a.ClientTerminal() && g.tx.Node(a.NodeID) != nil || !a.Terminal() {
		return false
	}
	return threshold == 0 || g.old(a.ModifyTime, threshold)
}

func (g garbage) forget(e *api.Evaluation) {
	for _, a := range slices.Collect(g.tx.AllocationsOfEvaluation(e.ID)) {
		g.tx.DeleteAllocation(a)
	}
	g.tx.DeleteEvaluation(e)
}

// deployments forgets those that have ended and have no allocation any more.
func (g garbage) deployments() {
	for _, d := range slices.Collect(g.tx.Deployments()) {
		if state.DeploymentActive(d) || !g.old(d.ModifyTime, gcDeployments) {
			continue
		}
		used := false
		for a := range g.tx.AllocationsOfDeployment(d.ID) {
			used = used || !a.Terminal()
		}
		if !used {
			g.tx.DeleteDeployment(d)
		}
	}
}

// nodes forgets those that are down and have no allocation any more.
func (g garbage) nodes() {
	for _, n := range slices.Collect(g.tx.Nodes()) {
		if n.Status != api.NodeStatusDown || !g.old(n.StatusUpdatedAt*int64(time.Second), gcNodes) {
			continue
		}
		used := false
		for a := range g.tx.AllocationsOfNode(n.ID) {
			used = used || !a.Terminal()
		}
		if !used {
			g.tx.DeleteNode(n)
		}
	}
}

package scheduler

import (
	"fmt"
	"maps"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// version is a group of a job as it was once.
type version struct {
	job   *api.Job
	group string
}

// planner makes the plan of one evaluation.
type planner struct {
	view    *state.View
	eval    *api.Evaluation
	job     *api.Job // nil when it is gone
	options Options
	now     time.Time

	// deployment is that of the job's version, whatever its status; nil when
	// there is none. It may be one that begins with this plan.
	deployment *api.Deployment

	nodes  map[string]*state.Node // those of the job's allocations, nil for one that is gone
	seats  *seats
	failed map[string]*api.AllocationMetric // why groups have no place, by name
	// filtered are groups of a system job that no node can ever run, by name.
	filtered map[string]*api.AllocationMetric
	fullNode string // the first node of a system job that had no room
	waits    []wait

	compared map[version]bool // whether what runs differs from the job's version
	plan     *Plan
}

func newPlanner(view *state.View, eval *api.Evaluation, job *api.Job, o Options) *planner {
	view = &state.View{View: view.Unwatched()}
	done := *eval
	done.Status, done.StatusDescription = api.EvalStatusComplete, ""
	done.NextEval, done.BlockedEval = "", ""
	done.FailedTGAllocs, done.ClassEligibility, done.EscapedComputedClass = nil, nil, false
	done.QueuedAllocations = map[string]int{}
	if job != nil && !value(job.Stop) {
		for _, group := range job.TaskGroups {
			done.QueuedAllocations[*group.Name] = 0
		}
	}
	done.PlanAnnotations = &api.PlanAnnotations{DesiredTGUpdates: map[string]*api.DesiredUpdates{}}
	done.SnapshotIndex = view.LastIndex()
	return &planner{
		view: view, eval: eval, job: job, options: o, now: o.Now,
		nodes: map[string]*state.Node{}, seats: newSeats(view, o),
		failed: map[string]*api.AllocationMetric{}, filtered: map[string]*api.AllocationMetric{},
		compared: map[version]bool{},
		plan: &Plan{
			Evaluation: &done, Job: job,
			Totals: map[string]int{}, changed: map[string]int{},
		},
	}
}

// stopped tells whether the job is to have no allocations at all.
func (p *planner) stopped() bool { return p.job == nil || value(p.job.Stop) }

// node finds the node of an allocation; nil when it is gone.
func (p *planner) node(id string) *state.Node {
	node, known := p.nodes[id]
	if !known {
		node = p.view.Node(id)
		p.nodes[id] = node
	}
	return node
}

// desired is what the plan does with a group, for the caller to count up.
func (p *planner) desired(group string) *api.DesiredUpdates {
	all := p.plan.DesiredUpdates()
	if all[group] == nil {
		all[group] = &api.DesiredUpdates{}
	}
	return all[group]
}

// stop ends an allocation.
func (p *planner) stop(a *state.Allocation, description string) *state.Allocation {
	after := p.plan.change(a)
	after.DesiredStatus, after.DesiredDescription = api.AllocDesiredStatusStop, description
	p.seats.remove(a)
	return after
}

// ends tells whether the plan ends an allocation.
func (p *planner) ends(a *state.Allocation) bool {
	at, changed := p.plan.changed[a.ID]
	return changed && p.plan.Changes[at].After.ServerTerminal()
}

// lose ends an allocation that its node will not report about any more.
func (p *planner) lose(a *state.Allocation) {
	p.stop(a, descriptionLost).ClientStatus = api.AllocClientStatusLost
}

// later adds a follow-up evaluation to the plan.
func (p *planner) later(e *api.Evaluation) *api.Evaluation {
	p.plan.Evaluations = append(p.plan.Evaluations, e)
	return e
}

// finish writes down what came of the evaluation.
func (p *planner) finish() {
	done := p.plan.Evaluation
	if p.deployment != nil {
		done.DeploymentID = p.deployment.ID
	}
	if len(p.failed) == 0 {
		p.cancelBlocked(fmt.Sprintf("evaluation %q successful", done.ID))
	} else {
		p.block(done)
	}
	if len(p.failed)+len(p.filtered) > 0 {
		done.FailedTGAllocs = maps.Clone(p.failed)
		maps.Copy(done.FailedTGAllocs, p.filtered)
	}
}

// block has the evaluation go on when there is room again: as itself, if it is
// one that was blocked before, or else as one that follows.
func (p *planner) block(done *api.Evaluation) {
	if p.eval.TriggeredBy == TriggerQueued || p.eval.TriggeredBy == TriggerMaxAttempts {
		done.Status, done.StatusDescription = api.EvalStatusBlocked, descriptionBlocked
		p.limit(done)
		return
	}
	next := p.later(blocked(p.eval, TriggerQueued, descriptionBlocked))
	next.FailedTGAllocs = p.failed
	p.limit(next)
	if next.NodeID = p.fullNode; next.NodeID == "" {
		done.BlockedEval = next.ID
	}
	p.cancelBlocked(fmt.Sprintf("existing blocked evaluation exists for job %q", p.eval.JobID))
}

// limit tells which nodes a blocked evaluation waits for.
func (p *planner) limit(e *api.Evaluation) {
	eligible := p.seats.eligibility(p.job)
	e.ClassEligibility, e.EscapedComputedClass = eligible.Classes, eligible.Escaped
	if e.EscapedComputedClass {
		e.ClassEligibility = nil
	}
}

// cancelBlocked gives up what else is blocked for the job.
func (p *planner) cancelBlocked(reason string) {
	for other := range p.view.EvaluationsOfJob(p.eval.Namespace, p.eval.JobID) {
		if other.Status == api.EvalStatusBlocked && other.ID != p.eval.ID {
			p.plan.Cancelled = append(p.plan.Cancelled, Cancellation{other.ID, reason})
		}
	}
}

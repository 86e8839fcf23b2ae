package nomad

import (
	"net/http"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// jobEnd is the answer to what ends a job.
type jobEnd struct {
	EvalID          string
	EvalCreateIndex uint64
	JobModifyIndex  uint64
	VolumeEvalID    string
	VolumeEvalIndex uint64
	Index           uint64
	LastContact     int
	KnownLeader     bool
	NextToken       string
}

func (r *request) deregisterJob() (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	if err := r.needIn(namespace, acl.SubmitJob); err != nil {
		return nil, err
	}
	o, err := r.endOptions()
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, fail(http.StatusInternalServerError, "missing job ID for deregistering")
	}
	var answer jobEnd
	if r.region.store.View().Job(namespace, id) == nil {
		r.setIndex(0)
		return answer, nil
	}
	err = r.write(func(tx *state.Tx) error {
		tx.About("JobDeregistered")
		job := tx.Job(namespace, id)
		if job == nil {
			return nil
		}
		e := endJob(tx, job, o.purge, o.noShutdownDelay)
		answer.Index, answer.JobModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
		if e == nil {
			answer.EvalCreateIndex = tx.ChangeIndex()
			return nil
		}
		if o.evalPriority > 0 {
			e.Priority = o.evalPriority
		}
		tx.UpsertEvaluation(e)
		answer.EvalID, answer.EvalCreateIndex = e.ID, tx.ChangeIndex()
		return nil
	})
	return answer, err
}

// endOptions are how a job is to end.
type endOptions struct {
	purge, noShutdownDelay bool
	evalPriority           int // 0 is the job's
}

func (r *request) endOptions() (o endOptions, err error) {
	if o.purge, err = r.boolean("purge"); err != nil {
		return o, err
	}
	if o.noShutdownDelay, err = r.boolean("no_shutdown_delay"); err != nil {
		return o, err
	}
	if _, err = r.boolean("global"); err != nil { // all regions of a job: Enterprise
		return o, err
	}
	if o.evalPriority, err = r.integer("eval_priority"); err == nil && o.evalPriority != 0 && !validPriority(o.evalPriority) {
		err = errEvalPriority
	}
	return o, err
}

// endJob stops a job or, to purge it, forgets it. It returns the evaluation
// that stops its allocations, which the caller writes; nil when it cannot have any.
func endJob(tx *state.Tx, job *api.Job, purge, noShutdownDelay bool) *api.Evaluation {
	if noShutdownDelay {
		for a := range tx.AllocationsOfJob(*job.Namespace, *job.ID) {
			if !a.Terminal() {
				tx.TransitionAllocation(a, func(t *api.DesiredTransition) { t.NoShutdownDelay = new(true) })
			}
		}
	}
	if purge {
		purgeJob(tx, job)
	} else {
		stopped, submitted := *job, tx.Now().UnixNano()
		stopped.Stop, stopped.SubmitTime = new(true), &submitted
		tx.UpsertJob(&stopped, true)
		tx.InheritSubmission(&stopped, *job.Version)
	}
	if waits(job) {
		return nil
	}
	e := newEvaluation(tx, job, scheduler.TriggerJobDeregister)
	e.JobModifyIndex = tx.ChangeIndex()
	return e
}

// purgeJob forgets a job with all that has come of it. Nodes stop what they run
// of it when they do not find it any more.
func purgeJob(tx *state.Tx, job *api.Job) {
	for _, a := range slices.Collect(tx.AllocationsOfJob(*job.Namespace, *job.ID)) {
		tx.DeleteAllocation(a)
	}
	for _, d := range slices.Collect(tx.DeploymentsOfJob(*job.Namespace, *job.ID)) {
		tx.DeleteDeployment(d)
	}
	tx.DeleteJob(job)
}

func (r *request) evaluateJob() (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	if err := r.needIn(namespace, acl.ReadJob); err != nil {
		return nil, err
	}
	asked, err := r.evaluateRequest(id)
	if err != nil {
		return nil, err
	}
	var answer jobChange
	err = r.write(func(tx *state.Tx) error {
		job := tx.Job(namespace, id)
		switch {
		case job == nil:
			return fail(http.StatusInternalServerError, "job not found")
		case job.IsPeriodic():
			return fail(http.StatusInternalServerError, "can't evaluate periodic job")
		case job.IsParameterized():
			return fail(http.StatusInternalServerError, "can't evaluate parameterized job")
		}
		if asked.EvalOptions.ForceReschedule {
			forceReschedule(tx, job)
		}
		e := newEvaluation(tx, job, scheduler.TriggerJobRegister)
		tx.UpsertEvaluation(e)
		answer = jobChange{EvalID: e.ID, EvalCreateIndex: tx.ChangeIndex(), JobModifyIndex: *job.ModifyIndex, Index: tx.ChangeIndex()}
		return nil
	})
	return answer, err
}

// evaluateRequest reads the body, which need not be there.
func (r *request) evaluateRequest(id string) (asked api.JobEvaluateRequest, err error) {
	if r.ContentLength == 0 {
		return asked, nil
	}
	if err := r.decode(&asked); err != nil {
		return asked, err
	}
	switch asked.JobID {
	case id:
		return asked, nil
	case "":
		return asked, badRequest("Job ID must be specified")
	default:
		return asked, badRequest("JobID not same as job name")
	}
}

// forceReschedule has the failed allocations of a job placed anew, whatever
// their reschedule blocks say.
func forceReschedule(tx *state.Tx, job *api.Job) {
	for a := range tx.AllocationsOfJob(*job.Namespace, *job.ID) {
		if a.ClientStatus == api.AllocClientStatusFailed && !a.DesiredTransition.ShouldForceReschedule() {
			tx.TransitionAllocation(a, func(t *api.DesiredTransition) { t.ForceReschedule = new(true) })
		}
	}
}

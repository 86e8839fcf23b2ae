package nomad

import (
	"net/http"
	"strconv"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// jobEnd is the answer to what ends a job.
type jobEnd struct {
	jobChange
	VolumeEvalID    string
	VolumeEvalIndex uint64
}

func (r *request) deregisterJob() (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	if err := r.needIn(namespace, acl.SubmitJob); err != nil {
		return nil, err
	}
	priority, err := r.evalPriority()
	if err != nil {
		return nil, err
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
		e := endJob(tx, job, r.flag("purge"), r.flag("no_shutdown_delay"))
		answer.Index, answer.JobModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
		if e == nil {
			return nil
		}
		if priority > 0 {
			e.Priority = priority
		}
		tx.UpsertEvaluation(e)
		answer.EvalID, answer.EvalCreateIndex = e.ID, tx.ChangeIndex()
		return nil
	})
	return answer, err
}

// evalPriority is the priority that the evaluation is to have; 0 is the job's.
func (r *request) evalPriority() (int, error) {
	text := r.query.Get("eval_priority")
	if text == "" {
		return 0, nil
	}
	priority, err := strconv.Atoi(text)
	if err != nil {
		return 0, badRequest("Failed to parse value of %q (%v) as an int: %v", "eval_priority", text, err)
	}
	if priority != 0 && (priority < 1 || priority > 100) {
		return 0, badRequest("eval priority must be between 1 and 100 inclusively")
	}
	return priority, nil
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
		tx.DeleteJob(job)
	} else {
		stopped, submitted := *job, tx.Now().UnixNano()
		stopped.Stop, stopped.SubmitTime = new(true), &submitted
		tx.UpsertJob(&stopped, true)
	}
	if job.IsPeriodic() || job.IsParameterized() && !job.Dispatched {
		return nil
	}
	e := newEvaluation(tx, job, scheduler.TriggerJobDeregister)
	e.JobModifyIndex = tx.ChangeIndex()
	return e
}

func (r *request) evaluateJob() (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	if err := r.needIn(namespace, acl.ReadJob); err != nil {
		return nil, err
	}
	var asked struct{ EvalOptions api.EvalOptions }
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	var answer jobChange
	err := r.write(func(tx *state.Tx) error {
		job := tx.Job(namespace, id)
		switch {
		case job == nil:
			return fail(http.StatusInternalServerError, "job not found")
		case job.IsPeriodic():
			return fail(http.StatusInternalServerError, "can't evaluate periodic job")
		case job.IsParameterized() && !job.Dispatched:
			return fail(http.StatusInternalServerError, "can't evaluate parameterized job")
		}
		if asked.EvalOptions.ForceReschedule {
			forceReschedule(tx, job)
		}
		e := newEvaluation(tx, job, scheduler.TriggerJobRegister)
		tx.UpsertEvaluation(e)
		answer = jobChange{EvalID: e.ID, EvalCreateIndex: tx.ChangeIndex(), JobModifyIndex: *job.JobModifyIndex, Index: tx.ChangeIndex()}
		return nil
	})
	return answer, err
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

package nomad

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// dispatched is the answer to dispatching a job.
type dispatched struct {
	DispatchedJobID string
	EvalID          string
	EvalCreateIndex uint64
	JobCreateIndex  uint64
	Index           uint64
}

// dispatchJob launches a parameterized job.
func (r *request) dispatchJob() (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	var asked api.JobDispatchRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if asked.JobID != "" && asked.JobID != id {
		return nil, badRequest("Job ID does not match")
	}
	if err := r.needIn(namespace, acl.DispatchJob); err != nil {
		return nil, err
	}
	if err := r.needRegistration(); err != nil {
		return nil, err
	}
	token := r.query.Get("idempotency_token")
	var answer dispatched
	err := r.write(func(tx *state.Tx) error {
		tx.About("JobRegistered")
		parent := tx.Job(namespace, id)
		if parent == nil {
			return fail(http.StatusInternalServerError, "parameterized job not found")
		}
		if err := jobs.CheckDispatch(parent, &asked); err != nil {
			return fail(http.StatusInternalServerError, "%v", err)
		}
		if before := dispatchedBefore(tx, parent, token); before != nil {
			answer = dispatched{DispatchedJobID: *before.ID, JobCreateIndex: *before.CreateIndex, Index: *before.CreateIndex}
			return nil
		}
		child := jobs.Dispatch(parent, &asked, token, tx.Now(), uuid.NewString()[:8])
		answer = dispatched{DispatchedJobID: *child.ID, JobCreateIndex: tx.ChangeIndex(), Index: tx.ChangeIndex()}
		if e := launch(tx, child, scheduler.TriggerJobRegister); e != nil {
			answer.EvalID, answer.EvalCreateIndex = e.ID, tx.ChangeIndex()
		}
		return nil
	})
	return answer, err
}

// dispatchedBefore is what a job was dispatched as with the same token; nil when
// it was not, or there is no token.
func dispatchedBefore(tx *state.Tx, parent *api.Job, token string) *api.Job {
	if token == "" {
		return nil
	}
	for child := range tx.JobChildren(*parent.Namespace, *parent.ID) {
		if t := child.DispatchIdempotencyToken; t != nil && *t == token {
			return child
		}
	}
	return nil
}

// launch writes a job that a periodic or a parameterized one launches, and the
// evaluation that places it; nil for a dispatched job that is periodic itself.
func launch(tx *state.Tx, child *api.Job, trigger string) *api.Evaluation {
	tx.UpsertJob(child, false)
	if waits(child) {
		return nil
	}
	e := newEvaluation(tx, child, trigger)
	tx.UpsertEvaluation(e)
	return e
}

package nomad

import (
	"context"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// schedule does the evaluations that are due, one after the other.
func (r *region) schedule(ctx context.Context) {
	for {
		if err := r.unblock(); err != nil {
			r.nomad.log.Error("blocked evaluations cannot be made pending", "error", err)
		}
		e, superseded, err := r.queue.next(ctx)
		if err != nil {
			return
		}
		if err := r.evaluate(e, superseded); err != nil {
			r.nomad.log.Error("an evaluation has failed", "evaluation", e.ID, "job", e.JobID, "error", err)
			r.evaluationFailed(e, err)
		}
	}
}

// unblock makes the blocked evaluations pending that may find room now.
func (r *region) unblock() error {
	blocked := r.queue.unblocked()
	if len(blocked) == 0 {
		return nil
	}
	return r.store.Write(func(tx *state.Tx) error {
		for _, e := range blocked {
			setEvaluationStatus(tx, e.ID, api.EvalStatusPending, "")
		}
		return nil
	})
}

// evaluate has the scheduler decide, and writes what it has decided.
func (r *region) evaluate(e *api.Evaluation, superseded []*api.Evaluation) error {
	return r.store.Write(func(tx *state.Tx) error {
		for _, old := range superseded {
			setEvaluationStatus(tx, old.ID, api.EvalStatusCancelled, "canceled after more recent eval was processed")
		}
		setEvaluationStatus(tx, e.ID, api.EvalStatusComplete, "")
		return nil
	})
}

func (r *region) evaluationFailed(e *api.Evaluation, cause error) {
	err := r.store.Write(func(tx *state.Tx) error {
		setEvaluationStatus(tx, e.ID, api.EvalStatusFailed, cause.Error())
		return nil
	})
	if err != nil {
		r.nomad.log.Error("an evaluation cannot be marked as failed", "evaluation", e.ID, "error", err)
	}
}

// setEvaluationStatus changes an evaluation that is still there.
func setEvaluationStatus(tx *state.Tx, id, status, description string) {
	old := tx.Evaluation(id)
	if old == nil {
		return
	}
	next := *old
	next.Status, next.StatusDescription, next.ModifyTime = status, description, tx.Now().UnixNano()
	tx.UpsertEvaluation(&next)
}

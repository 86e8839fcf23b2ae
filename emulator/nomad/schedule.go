package nomad

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// schedule does the evaluations that are due, one after the other.
func (r *region) schedule(ctx context.Context) {
	waiting := time.Now()
	for {
		if err := r.unblock(); err != nil {
			r.nomad.log.Error("blocked evaluations cannot be made pending", "error", err)
		}
		e, superseded, wait := r.queue.due(time.Now())
		if e == nil {
			if r.queue.await(ctx, wait) != nil {
				return
			}
			continue // what has changed may have made room
		}
		r.measure("worker.dequeue_eval", waiting)
		if err := r.evaluate(e, superseded); err != nil {
			r.nomad.log.Error("an evaluation has failed", "evaluation", e.ID, "job", e.JobID, "error", err)
			r.evaluationFailed(e, err)
		}
		waiting = time.Now()
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

// maxAttempts is how often an evaluation is processed whose plan a node did not
// take. After that it fails, and another one follows later.
const maxAttempts = 5

// evaluate has the scheduler decide, and writes what it has decided.
func (r *region) evaluate(e *api.Evaluation, superseded []*api.Evaluation) error {
	for range maxAttempts {
		began := time.Now()
		view := r.store.View()
		plan, err := scheduler.Process(view, e, r.schedulerOptions(view, r.claimPort))
		if err != nil {
			return err
		}
		r.measure("worker.invoke_scheduler_"+e.Type, began)
		began = time.Now()
		var rejected []string
		err = r.store.Write(func(tx *state.Tx) error {
			tx.About(causePlan)
			for _, old := range superseded {
				setEvaluationStatus(tx, old.ID, api.EvalStatusCancelled, "canceled after more recent eval was processed")
			}
			rejected = plan.Apply(tx)
			return nil
		})
		r.measure("plan.apply", began)
		if err != nil || len(rejected) == 0 {
			return err
		}
		superseded = nil
	}
	return r.store.Write(func(tx *state.Tx) error {
		scheduler.GiveUp(tx, e, maxAttempts)
		return nil
	})
}

func (r *region) schedulerOptions(view *state.View, portFree func(address string, port int) bool) scheduler.Options {
	return scheduler.Options{
		Pools: &r.pools, Volumes: schedulerVolumes{&state.View{View: view.Unwatched()}},
		Now: time.Now(), PortFree: portFree, Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
}

// causePlan is what a change is about that the scheduler has planned.
const causePlan = "PlanResult"

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

package nomad

import (
	"iter"
	"net/http"
	"slices"

	"github.com/hashicorp/go-bexpr"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func evaluationRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/evaluations", (*request).evaluations),
		faithful(http.MethodDelete, "/v1/evaluations", (*request).deleteEvaluations),
		faithful(http.MethodGet, "/v1/evaluations/count", (*request).countEvaluations),
		faithful(http.MethodGet, "/v1/evaluation/{id}", (*request).evaluation),
		faithful(http.MethodGet, "/v1/evaluation/{id}/allocations", (*request).evaluationAllocations),
	}
}

// evaluationRows are those that a list begins with, and where they stand in it.
func (r *request) evaluationRows(view *state.View) (iter.Seq[*api.Evaluation], func(*api.Evaluation) position) {
	if prefix := r.query.Get("prefix"); prefix != "" {
		return view.EvaluationsWithPrefix(prefix), func(e *api.Evaluation) position { return position{name: e.ID} }
	}
	return view.Evaluations(), func(e *api.Evaluation) position { return position{e.CreateIndex, e.ID} }
}

// evaluationShown tells whether a list that is asked for by job and status has it.
func (r *request) evaluationShown(e *api.Evaluation) bool {
	job, status := r.query.Get("job"), r.query.Get("status")
	return (job == "" || e.JobID == job) && (status == "" || e.Status == status)
}

func (r *request) evaluations() (any, error) {
	visible, err := r.visibleIn(acl.ReadJob)
	if err != nil {
		return nil, err
	}
	if err := lookupPrefix("eval", r.query.Get("prefix")); err != nil {
		return nil, err
	}
	if r.has("filter") && (r.has("job") || r.has("status")) {
		return nil, badRequest("Filter expression cannot be used with other filter parameters")
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		rows, at := r.evaluationRows(view)
		list, err := page(r, rows, at, func(e *api.Evaluation) (*api.Evaluation, bool) {
			return e, visible(e.Namespace) && r.evaluationShown(e)
		})
		return list, view.Index(state.TableEvaluations), err
	})
}

func (r *request) countEvaluations() (any, error) {
	visible, err := r.visibleIn(acl.ReadJob)
	if err != nil {
		return nil, err
	}
	matches, err := r.filter()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		index := view.Index(state.TableEvaluations)
		count := 0
		rows, _ := r.evaluationRows(view)
		for e := range rows {
			ok, err := matches(e)
			if err != nil {
				return nil, 0, badRequest("failed to read filter expression: %v", err)
			}
			if ok && visible(e.Namespace) {
				count++
			}
		}
		return map[string]any{"Count": count, "Index": index, "KnownLeader": true, "LastContact": 0, "NextToken": ""}, index, nil
	})
}

func (r *request) evaluation() (any, error) {
	id := r.PathValue("id")
	if err := lookupID("failed to lookup eval: eval", id); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		found := view.Evaluation(id)
		if found == nil {
			return nil, view.Index(state.TableEvaluations), notFound("eval not found")
		}
		if err := r.needIn(found.Namespace, acl.ReadJob); err != nil {
			return nil, 0, err
		}
		answer := *found
		if r.flag("related") {
			answer.RelatedEvals = relatedEvaluations(view, found)
		}
		return &answer, found.ModifyIndex, nil
	})
}

// relatedEvaluations are those that an evaluation follows from, or that follow
// from it, directly or over others.
func relatedEvaluations(view *state.View, of *api.Evaluation) []*api.EvaluationStub {
	linked := func(e *api.Evaluation) []string { return []string{e.PreviousEval, e.NextEval, e.BlockedEval} }
	seen := map[string]bool{of.ID: true}
	waiting := linked(of)
	var list []*api.EvaluationStub
	for len(waiting) > 0 {
		id := waiting[0]
		waiting = waiting[1:]
		if id == "" || seen[id] {
			continue
		}
		seen[id] = true
		e := view.Evaluation(id)
		if e == nil {
			continue
		}
		waiting = append(waiting, linked(e)...)
		list = append(list, &api.EvaluationStub{
			ID: e.ID, Namespace: e.Namespace, Priority: e.Priority, Type: e.Type, TriggeredBy: e.TriggeredBy,
			JobID: e.JobID, NodeID: e.NodeID, DeploymentID: e.DeploymentID, Status: e.Status,
			StatusDescription: e.StatusDescription, WaitUntil: e.WaitUntil, NextEval: e.NextEval,
			PreviousEval: e.PreviousEval, BlockedEval: e.BlockedEval, CreateIndex: e.CreateIndex,
			ModifyIndex: e.ModifyIndex, CreateTime: e.CreateTime, ModifyTime: e.ModifyTime,
		})
	}
	return list
}

func (r *request) evaluationAllocations() (any, error) {
	if err := r.needIn(r.namespace(), acl.ReadJob); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	return r.block(func(view *state.View) (any, uint64, error) {
		stubs, index := allocationStubs(view.AllocationsOfEvaluation(id))
		return stubs, index, nil
	})
}

// maxDeletedEvaluations is how many may be named in one request.
const maxDeletedEvaluations = 7281

func (r *request) deleteEvaluations() (any, error) {
	if may, err := r.may(); err != nil || !may.IsManagement() {
		return nil, errDeniedOr(err)
	}
	var asked api.EvalDeleteRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	count := 0
	err := r.write(func(tx *state.Tx) error {
		if !tx.SchedulerConfiguration().PauseEvalBroker {
			return fail(http.StatusInternalServerError, "eval broker is enabled; eval broker must be paused to delete evals")
		}
		chosen, err := r.chooseEvaluations(tx, asked)
		for _, e := range chosen {
			tx.DeleteEvaluation(e)
		}
		count = len(chosen)
		return err
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"Count": count}, nil
}

// chooseEvaluations finds the evaluations to delete, by ID or by a filter.
func (r *request) chooseEvaluations(tx *state.Tx, asked api.EvalDeleteRequest) ([]*api.Evaluation, error) {
	switch {
	case len(asked.EvalIDs) > 0 && asked.Filter != "":
		return nil, badRequest("evals cannot be deleted by both ID and filter")
	case len(asked.EvalIDs) == 0 && asked.Filter == "":
		return nil, badRequest("evals must be deleted by either ID or filter")
	case len(asked.EvalIDs) > maxDeletedEvaluations:
		return nil, badRequest("request includes %v evaluations, must be %v or fewer", len(asked.EvalIDs), maxDeletedEvaluations)
	case asked.Filter != "":
		return filterEvaluations(tx, asked.Filter)
	}
	var chosen []*api.Evaluation
	for _, id := range asked.EvalIDs {
		e := tx.Evaluation(id)
		if e == nil {
			return nil, fail(http.StatusInternalServerError, "eval not found")
		}
		if !deletable(tx, e) {
			return nil, fail(http.StatusInternalServerError, "eval %s is not safe to delete", id)
		}
		chosen = append(chosen, e)
	}
	return chosen, nil
}

func filterEvaluations(tx *state.Tx, filter string) ([]*api.Evaluation, error) {
	evaluator, err := bexpr.CreateEvaluator(filter)
	if err != nil {
		return nil, badRequest("failed to read filter expression: %v", err)
	}
	var chosen []*api.Evaluation
	for _, e := range slices.Collect(tx.Evaluations()) {
		ok, err := evaluator.Evaluate(e)
		if err != nil {
			return nil, badRequest("failed to read filter expression: %v", err)
		}
		if ok && deletable(tx, e) {
			chosen = append(chosen, e)
		}
	}
	return chosen, nil
}

// deletable tells whether nothing hangs on an evaluation any more: its
// allocations have ended, and it is not to be done.
func deletable(tx *state.Tx, e *api.Evaluation) bool {
	job := tx.Job(e.Namespace, e.JobID)
	if job == nil || job.Stop != nil && *job.Stop {
		return true
	}
	for a := range tx.AllocationsOfEvaluation(e.ID) {
		if !a.Terminal() {
			return false
		}
	}
	return state.EvaluationTerminal(e) || e.Status == api.EvalStatusBlocked || e.Status == api.EvalStatusPending
}

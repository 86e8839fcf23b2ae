package state

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableEvaluations has the evaluations.
const TableEvaluations = "evals"

func evaluationTables() store.Schema {
	return store.Schema{TableEvaluations: store.Rows[api.Evaluation](
		store.Unique("id", store.By(func(e *api.Evaluation) []string { return []string{e.ID} })),
		store.Many("created", store.By(func(e *api.Evaluation) []string { return []string{number(e.CreateIndex), e.ID} })),
		store.Many("job", store.By(func(e *api.Evaluation) []string { return []string{e.Namespace, e.JobID} })),
		store.Many("deployment", store.By(func(e *api.Evaluation) []string {
			if e.DeploymentID == "" {
				return nil
			}
			return []string{e.DeploymentID}
		})))}
}

// Evaluation finds an evaluation by its ID; nil when there is none.
func (v *View) Evaluation(id string) *api.Evaluation {
	return store.First[api.Evaluation](v.View, TableEvaluations, "id", id)
}

// Evaluations are all evaluations, in the order in which they were created.
func (v *View) Evaluations() iter.Seq[*api.Evaluation] {
	return store.All[api.Evaluation](v.View, TableEvaluations, "created")
}

// EvaluationsOfJob are those about a job.
func (v *View) EvaluationsOfJob(namespace, job string) iter.Seq[*api.Evaluation] {
	return store.All[api.Evaluation](v.View, TableEvaluations, "job", namespace, job)
}

// EvaluationTerminal tells whether nothing will become of the evaluation any more.
func EvaluationTerminal(e *api.Evaluation) bool {
	switch e.Status {
	case api.EvalStatusComplete, api.EvalStatusFailed, api.EvalStatusCancelled:
		return true
	}
	return false
}

// UpsertEvaluation writes an evaluation, which becomes the row. The indexes
// are set here; the status of its job follows.
func (tx *Tx) UpsertEvaluation(e *api.Evaluation) {
	old := tx.Evaluation(e.ID)
	e.CreateIndex, e.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old != nil {
		e.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableEvaluations, e)
	if e.QueuedAllocations != nil {
		tx.queued(e)
	}
	tx.touchJob(e.Namespace, e.JobID)
}

// queued writes to the job's summary how many allocations could not be placed.
func (tx *Tx) queued(e *api.Evaluation) {
	tx.summarize(e.Namespace, e.JobID, func(groups map[string]api.TaskGroupSummary) {
		for name, count := range e.QueuedAllocations {
			if group, known := groups[name]; known {
				group.Queued = count
				groups[name] = group
			}
		}
	})
}

// EvaluationsWithPrefix are those whose ID begins with the prefix, by ID.
func (v *View) EvaluationsWithPrefix(prefix string) iter.Seq[*api.Evaluation] {
	return store.All[api.Evaluation](v.View, TableEvaluations, "id_prefix", prefix)
}

// DeleteEvaluation forgets an evaluation.
func (tx *Tx) DeleteEvaluation(e *api.Evaluation) { tx.Delete(TableEvaluations, e) }

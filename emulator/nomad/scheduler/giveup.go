package scheduler

import (
	"fmt"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// GiveUp ends an evaluation whose plans were rejected time and again. Another
// one, which it names, goes on when something has changed on the nodes.
func GiveUp(tx *state.Tx, e *api.Evaluation, attempts int) {
	next := blocked(e, TriggerMaxAttempts, descriptionConflicts)
	next.EscapedComputedClass = true // whatever has changed
	next.CreateTime, next.ModifyTime = tx.Now().UnixNano(), tx.Now().UnixNano()
	tx.UpsertEvaluation(next)
	failed := *e
	failed.Status, failed.StatusDescription = api.EvalStatusFailed, fmt.Sprintf("maximum attempts reached (%d)", attempts)
	failed.BlockedEval, failed.ModifyTime = next.ID, tx.Now().UnixNano()
	tx.UpsertEvaluation(&failed)
}

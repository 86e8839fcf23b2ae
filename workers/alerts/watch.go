package alerts

import (
	"context"
	"encoding/json"
	"path"
	"time"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// retryWait is the pause after a failure of the bus or the records.
const retryWait = 500 * time.Millisecond

// pause waits, or for the end of the context.
func pause(ctx context.Context, wait time.Duration) {
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// loadRules returns when all rules that there are have been read, or the
// context ends. An instance knows the rules of all partitions, so that it can
// take any of them at once.
func (w *worker) loadRules(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.listRules(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			w.Logger.Error("load rules", "error", err)
			pause(ctx, retryWait)
		}
	}
}

func (w *worker) listRules(ctx context.Context) error {
	for record, err := range w.Rules.List(ctx, "") {
		if err != nil {
			return err
		}
		w.setRule(record, true)
	}
	return nil
}

// watchRules follows the rules until the context ends. It begins with all of
// them again, which changes nothing where they have not changed.
func (w *worker) watchRules(ctx context.Context) {
	for ctx.Err() == nil {
		for change, err := range w.Rules.Watch(ctx, "") {
			if err != nil {
				w.Logger.Error("watch rules", "error", err)
				break
			}
			if change.Deleted {
				w.removeRule(path.Base(change.Key))
			} else {
				w.setRule(change.Record, false)
			}
		}
		pause(ctx, retryWait)
	}
}

// setRule puts a rule into its partition; unless it is the first to be seen of
// it, it may have been in another one before, for another symbol.
func (w *worker) setRule(record cloud.Record, first bool) {
	var rule contract.Rule
	if err := json.Unmarshal(record.Value, &rule); err != nil {
		w.Logger.Error("unreadable rule", "key", record.Key, "error", err)
		return
	}
	own := contract.QuotePartition(rule.Symbol)
	for number, p := range w.partitions {
		if number != own && !first {
			p.removeRule(rule.ID)
		}
	}
	if err := w.partitions[own].putRule(rule); err != nil {
		w.Logger.Error("unusable rule", "key", record.Key, "error", err)
	}
}

func (w *worker) removeRule(id string) {
	for _, p := range w.partitions {
		p.removeRule(id)
	}
}

// countRules measures how many rules there are.
func (w *worker) countRules() {
	count := 0
	for _, p := range w.partitions {
		p.mu.Lock()
		count += p.engine.Len()
		p.mu.Unlock()
	}
	w.Metrics.rules.Set(float64(count))
}

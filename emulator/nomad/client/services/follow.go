package services

import (
	"context"
	"time"

	consul "github.com/hashicorp/consul/api"
)

const (
	// followWait is how long Consul may keep a question for changes open.
	followWait = time.Minute
	// followPause is the time between two questions: changes that come together
	// are read together.
	followPause = 20 * time.Millisecond
)

// follow reports the results of the checks as Consul has them.
func (a *Agent) follow(ctx context.Context) {
	node, index := "", uint64(0)
	for ctx.Err() == nil {
		asked := time.Now()
		next, err := a.ask(ctx, &node, index)
		pause := followPause
		switch {
		case err != nil:
			node, index, pause = "", 0, retryPause
		// It began anew, or was told to end while it waited.
		case next < index, next == index && time.Since(asked) < followWait/2:
			index = 0
		default:
			if index == 0 {
				signal(a.doubt)
			}
			index = next
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// ask waits for a change of the checks of the agent's node since the index.
func (a *Agent) ask(ctx context.Context, node *string, index uint64) (uint64, error) {
	query := (&consul.QueryOptions{WaitIndex: index, WaitTime: followWait}).WithContext(ctx)
	if *node == "" {
		var self struct{ Config struct{ NodeName string } }
		if _, err := a.asking.Raw().Query("/v1/agent/self", &self, query); err != nil {
			return 0, err
		}
		*node = self.Config.NodeName
	}
	checks, meta, err := a.asking.Health().Node(*node, query)
	if err != nil {
		return 0, err
	}
	a.report(checks)
	return meta.LastIndex, nil
}

// report passes on what is new, and notices when something is missing.
func (a *Agent) report(checks consul.HealthChecks) {
	there := map[string]bool{}
	for _, c := range checks {
		there[c.CheckID] = true
		found := result{status: c.Status, output: c.Output}
		a.mu.Lock()
		report := a.reports[c.CheckID]
		known := report == nil || a.statuses[c.CheckID] == found
		if !known {
			a.statuses[c.CheckID] = found
		}
		a.mu.Unlock()
		if !known {
			report(c.CheckID, found)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.statuses {
		if !there[id] {
			delete(a.statuses, id)
			signal(a.doubt)
		}
	}
}

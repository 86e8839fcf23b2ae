package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
)

func sortedGroups(d *api.Deployment) []string { return slices.Sorted(maps.Keys(d.TaskGroups)) }

// failed says why a deployment failed, and what runs now. It waits until the
// version before runs again, where Nomad goes back to it.
func (w *watch) failed(ctx context.Context, d *api.Deployment) error {
	var text strings.Builder
	fmt.Fprintf(&text, "deployment %s of version %d failed: %s", short(d.ID), d.JobVersion, d.StatusDescription)
	s, err := w.look(ctx)
	if err != nil {
		return fmt.Errorf("%s; why is not known: %w", &text, err)
	}
	for _, a := range s.allocations {
		if a.JobVersion != w.version || isHealthy(a) {
			continue
		}
		why := w.d.cluster.Unhealthy(ctx, a)
		if a.ClientStatus == api.AllocClientStatusFailed {
			why = w.d.cluster.Failed(ctx, a).String()
		}
		fmt.Fprintf(&text, "\n  allocation %s on node %s: %s", a.Name, a.NodeName, why)
		break
	}
	return fmt.Errorf("%s\n  %s", &text, w.runsNow(ctx))
}

// runsNow says what of the job runs, once Nomad has gone back to the version
// before, if it does.
func (w *watch) runsNow(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, healthyWithin)
	defer cancel()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		back, s, err := w.goesBack(ctx)
		if err != nil {
			return "what runs now is not known: " + err.Error()
		}
		if back == nil {
			return running(s, w.version)
		}
		if back.Status == api.DeploymentStatusSuccessful {
			return "the version before is back: " + running(s, w.version)
		}
		if back.Status == api.DeploymentStatusFailed {
			return "going back to the version before failed, too: " + back.StatusDescription + "; " + running(s, w.version)
		}
		w.waitsFor("the version before, to which Nomad goes back")
		select {
		case <-again.C:
		case <-ctx.Done():
			return "Nomad goes back to the version before: " + running(s, w.version)
		}
	}
}

// goesBack is the deployment that brings the version before back; nil if there is none.
func (w *watch) goesBack(ctx context.Context) (*api.Deployment, seen, error) {
	s, err := w.look(ctx)
	if err != nil || *s.job.Version <= w.version {
		return nil, s, err
	}
	latest, _, err := w.d.options.Nomad.Jobs().LatestDeployment(w.u.id, w.u.reading(ctx))
	if err != nil || latest == nil || latest.JobVersion <= w.version {
		return nil, s, err
	}
	return latest, s, nil
}

// running says which versions have instances that run.
func running(s seen, failed uint64) string {
	counts := map[uint64]int{}
	for _, a := range s.allocations {
		if a.ClientStatus == api.AllocClientStatusRunning && a.DesiredStatus == api.AllocDesiredStatusRun && a.JobVersion != failed {
			counts[a.JobVersion]++
		}
	}
	var texts []string
	for _, version := range slices.Sorted(maps.Keys(counts)) {
		texts = append(texts, fmt.Sprintf("version %d runs, in %d instances", version, counts[version]))
	}
	if len(texts) == 0 {
		return "no other version runs"
	}
	return strings.Join(texts, "; ")
}

// Package explain says why what Nomad was told to run does not run, or is not
// healthy, from what Nomad and Consul know of it. The offline stack tells it of
// the jobs that it starts, `drydock deploy` of those that it deploys.
package explain

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
)

const (
	// shownLines and shownEvents are how many of the last there are are shown.
	shownLines  = 10
	shownEvents = 3
	// shownOutput is how much of a task's output is looked at for them, in bytes.
	shownOutput = 64 << 10
)

// The states of a task, as Nomad names them.
const (
	taskRunning = "running"
	taskDead    = "dead"
)

// Cluster is where reasons are looked for.
type Cluster struct {
	Nomad  *api.Client
	Consul *consul.Client // nil where there is none
}

// Failure is how a task ended.
type Failure struct {
	Task   string
	Events []string // the last that happened to it
	Lines  []string // the last that it printed
}

func (f Failure) String() string {
	text := fmt.Sprintf("task %q: %s", f.Task, strings.Join(f.Events, "; "))
	if len(f.Lines) > 0 {
		text += "\n    " + strings.Join(f.Lines, "\n    ")
	}
	return text
}

// Failed says how an allocation has failed, by the task that others ended for.
func (c Cluster) Failed(ctx context.Context, a *api.AllocationListStub) Failure {
	var failure Failure
	for _, name := range slices.Sorted(maps.Keys(a.TaskStates)) {
		state := a.TaskStates[name]
		if !state.Failed {
			continue
		}
		failure.Task, failure.Events = name, lastEvents(state, shownEvents)
		sibling := func(e *api.TaskEvent) bool { return e.Type == api.TaskSiblingFailed }
		if !slices.ContainsFunc(state.Events, sibling) {
			break
		}
	}
	failure.Lines = c.lastLines(ctx, a.ID, failure.Task)
	return failure
}

// unhealthy is the event that repeats for a deployment what others have told.
const unhealthy = "Alloc Unhealthy"

// lastEvents are the last things that happened to a task.
func lastEvents(state *api.TaskState, count int) []string {
	var texts []string
	for _, e := range state.Events {
		if e.Type == unhealthy {
			continue
		}
		text := e.Type
		if e.DisplayMessage != "" {
			text += ": " + e.DisplayMessage
		}
		texts = append(texts, text)
	}
	return texts[max(0, len(texts)-count):]
}

// lastLines are the last that a task printed, of its standard error if there are any.
func (c Cluster) lastLines(ctx context.Context, allocation, task string) []string {
	for _, stream := range []string{"stderr", "stdout"} {
		query := everywhere(ctx)
		query.Params = map[string]string{
			"task": task, "type": stream, "origin": "end", "offset": fmt.Sprint(shownOutput), "plain": "true",
		}
		body, err := c.Nomad.Raw().Response("/v1/client/fs/logs/"+allocation, query)
		if err != nil {
			return nil // a task that never started has none
		}
		text, err := io.ReadAll(body)
		body.Close()
		if printed := strings.TrimSpace(string(text)); err == nil && printed != "" {
			lines := strings.Split(printed, "\n")
			return lines[max(0, len(lines)-shownLines):]
		}
	}
	return nil
}

// Unhealthy says what an allocation lacks to be healthy, as exactly as can be.
func (c Cluster) Unhealthy(ctx context.Context, a *api.AllocationListStub) string {
	for _, name := range slices.Sorted(maps.Keys(a.TaskStates)) {
		if state := a.TaskStates[name]; state.State != taskRunning && (state.State != taskDead || state.Failed) {
			return fmt.Sprintf("task %q is %s: %s", name, state.State, strings.Join(lastEvents(state, 1), ""))
		}
	}
	if check := c.FailingCheck(ctx, a.ID); check != "" {
		return check
	}
	return "it is " + a.ClientStatus
}

// FailingCheck says which check of an allocation fails, and why; empty when
// none is known to.
func (c Cluster) FailingCheck(ctx context.Context, allocation string) string {
	if checks, err := c.Nomad.Allocations().Checks(allocation, everywhere(ctx)); err == nil {
		for _, check := range checks {
			if check.Status != "success" {
				return failing(check.Service, check.Check, check.Output)
			}
		}
	}
	if c.Consul == nil {
		return ""
	}
	for _, state := range []string{consul.HealthCritical, consul.HealthWarning} {
		checks, _, err := c.Consul.Health().State(state, new(consul.QueryOptions).WithContext(ctx))
		if err != nil {
			return ""
		}
		for _, check := range checks {
			if strings.Contains(check.ServiceID, allocation) {
				return failing(check.ServiceName, check.Name, check.Output)
			}
		}
	}
	return ""
}

func failing(service, check, output string) string {
	return strings.TrimSuffix(fmt.Sprintf("service %q: check %q fails: %s", service, check, strings.TrimSpace(output)), ": ")
}

// Unplaced says why groups of a job have no place, by their names; empty when
// all of them have.
func Unplaced(groups map[string]*api.AllocationMetric) string {
	var texts []string
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		metric := groups[group]
		var why []string
		for _, constraint := range slices.Sorted(maps.Keys(metric.ConstraintFiltered)) {
			why = append(why, fmt.Sprintf("%d nodes do not meet %s", metric.ConstraintFiltered[constraint], constraint))
		}
		for _, dimension := range slices.Sorted(maps.Keys(metric.DimensionExhausted)) {
			why = append(why, fmt.Sprintf("%d nodes lack %s", metric.DimensionExhausted[dimension], dimension))
		}
		if len(why) == 0 {
			why = append(why, "no node is in a datacenter and in the node pool of the job")
		}
		texts = append(texts, fmt.Sprintf("group %q: %s", group, strings.Join(why, ", ")))
	}
	return strings.Join(texts, "; ")
}

func everywhere(ctx context.Context) *api.QueryOptions {
	return (&api.QueryOptions{Namespace: api.AllNamespacesNamespace}).WithContext(ctx)
}

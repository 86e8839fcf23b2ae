package emulator

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
)

const (
	// shownLines and shownEvents are how many of the last there are an error shows.
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

// TaskFailedError says that a task has failed for good, so that its job cannot become healthy.
type TaskFailedError struct {
	JobID      string
	Allocation string // its name, <job>.<group>[<index>]
	Task       string
	Events     []string // the last that happened to it
	Lines      []string // the last that it printed
}

func (e *TaskFailedError) Error() string {
	text := fmt.Sprintf("allocation %s: task %q: %s", e.Allocation, e.Task, strings.Join(e.Events, "; "))
	if len(e.Lines) > 0 {
		text += "\n    " + strings.Join(e.Lines, "\n    ")
	}
	return text
}

// taskFailed makes the error of an allocation that has failed.
func (s *Stack) taskFailed(a *api.AllocationListStub) *TaskFailedError {
	failed := &TaskFailedError{JobID: a.JobID, Allocation: a.Name}
	for _, name := range slices.Sorted(maps.Keys(a.TaskStates)) {
		state := a.TaskStates[name]
		if !state.Failed {
			continue
		}
		failed.Task, failed.Events = name, lastEvents(state, shownEvents)
		sibling := func(e *api.TaskEvent) bool { return e.Type == api.TaskSiblingFailed }
		if !slices.ContainsFunc(state.Events, sibling) {
			break // it is not for another's sake that this one has ended
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), explainWithin)
	defer cancel()
	failed.Lines = s.lastLines(ctx, a.ID, failed.Task)
	return failed
}

// lastEvents are the last things that happened to a task.
func lastEvents(state *api.TaskState, count int) []string {
	var texts []string
	for _, e := range state.Events {
		text := e.Type
		if e.DisplayMessage != "" {
			text += ": " + e.DisplayMessage
		}
		texts = append(texts, text)
	}
	return texts[max(0, len(texts)-count):]
}

// lastLines are the last that a task printed, of its standard error if there are any.
func (s *Stack) lastLines(ctx context.Context, allocation, task string) []string {
	for _, stream := range []string{"stderr", "stdout"} {
		query := reading(ctx, api.AllNamespacesNamespace)
		query.Params = map[string]string{
			"task": task, "type": stream, "origin": "end", "offset": fmt.Sprint(shownOutput), "plain": "true",
		}
		body, err := s.client.Raw().Response("/v1/client/fs/logs/"+allocation, query)
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

// explainAllocation says what an allocation lacks to be healthy.
func (s *Stack) explainAllocation(ctx context.Context, a *api.AllocationListStub) string {
	for _, name := range slices.Sorted(maps.Keys(a.TaskStates)) {
		if state := a.TaskStates[name]; state.State != taskRunning && (state.State != taskDead || state.Failed) {
			return fmt.Sprintf("allocation %s: task %q is %s: %s", a.Name, name, state.State, strings.Join(lastEvents(state, 1), ""))
		}
	}
	if check := s.failingCheck(ctx, a.ID); check != "" {
		return "allocation " + a.Name + ": " + check
	}
	return "allocation " + a.Name + " is " + a.ClientStatus
}

// failingCheck says which check of an allocation fails, if any does, and why.
func (s *Stack) failingCheck(ctx context.Context, allocation string) string {
	checks, err := s.client.Allocations().Checks(allocation, reading(ctx, api.AllNamespacesNamespace))
	if err != nil {
		return ""
	}
	for _, c := range checks {
		if c.Status != "success" {
			return fmt.Sprintf("service %q: check %q fails: %s", c.Service, c.Check, c.Output)
		}
	}
	inConsul, err := consul.NewClient(&consul.Config{Address: s.Consul.URL("dc1"), Transport: &http.Transport{DisableKeepAlives: true}})
	if err != nil {
		return ""
	}
	found, err := inConsul.Agent().ChecksWithFilterOpts("", new(consul.QueryOptions).WithContext(ctx))
	if err != nil {
		return ""
	}
	for _, c := range found {
		if c.Status != consul.HealthPassing && strings.Contains(c.ServiceID, allocation) {
			return fmt.Sprintf("service %q: check %q fails: %s", c.ServiceName, c.Name, c.Output)
		}
	}
	return ""
}

// lacking says why a blocked evaluation has no place for its job.
func lacking(e *api.Evaluation) string {
	var texts []string
	for _, group := range slices.Sorted(maps.Keys(e.FailedTGAllocs)) {
		metric := e.FailedTGAllocs[group]
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

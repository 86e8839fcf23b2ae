package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
)

const (
	explainWithin = 30 * time.Second
	taskRunning   = "running"
	shownEvents   = 6
	shownOutput   = 3000 // bytes of what a task printed last
	shownLines    = 15
)

func consulQuery(ctx context.Context) *consul.QueryOptions {
	return new(consul.QueryOptions).WithContext(ctx)
}

// explain tells, for a case that has failed, what is not as it should be: nodes,
// jobs with their allocations, the last that happened to the tasks and the last
// that they printed, and the checks that fail.
func (r run) explain() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), explainWithin)
	defer cancel()
	var out strings.Builder
	for _, tell := range []func(context.Context, io.Writer) error{r.explainNodes, r.explainJobs, r.explainChecks} {
		if err := tell(ctx, &out); err != nil {
			fmt.Fprintf(&out, "%v\n", err)
		}
	}
	r.Logf("what is there after the failure:\n%s", &out)
}

func (s *suite) explainNodes(ctx context.Context, out io.Writer) error {
	nodes, _, err := s.nomad.Nodes().List(query(ctx))
	for _, node := range nodes {
		fmt.Fprintf(out, "node %s in %s: %s, %s\n", node.Name, node.Datacenter, node.Status, node.SchedulingEligibility)
	}
	return err
}

func (s *suite) explainJobs(ctx context.Context, out io.Writer) error {
	list, _, err := s.nomad.Jobs().List(query(ctx))
	if err != nil {
		return err
	}
	for _, stub := range list {
		job, _, err := s.nomad.Jobs().Info(stub.ID, query(ctx))
		if err != nil {
			return err
		}
		problem := s.lacks(ctx, job)
		fmt.Fprintf(out, "job %s: %s, lacks: %v\n", stub.ID, stub.Status, problem)
		allocations, _, err := s.nomad.Jobs().Allocations(stub.ID, false, query(ctx))
		if err != nil {
			return err
		}
		evaluations, _, err := s.nomad.Jobs().Evaluations(stub.ID, query(ctx))
		if err != nil {
			return err
		}
		for _, e := range evaluations {
			for group, metric := range e.FailedTGAllocs {
				fmt.Fprintf(out, "  evaluation %.8s is %s: group %s has no place: filtered %v, exhausted %v\n",
					e.ID, e.Status, group, metric.ConstraintFiltered, metric.DimensionExhausted)
			}
		}
		for _, a := range allocations {
			s.explainAllocation(ctx, out, a, problem != nil)
		}
	}
	return nil
}

// explainAllocation tells of tasks that have failed or were started again, and of
// those of a job that is not as it should be; of the others, what they complain of.
func (s *suite) explainAllocation(ctx context.Context, out io.Writer, a *nomad.AllocationListStub, all bool) {
	fmt.Fprintf(out, "  allocation %.8s %s version %d on %s: desired %s, %s %s\n", a.ID, a.Name, a.JobVersion, a.NodeName, a.DesiredStatus, a.ClientStatus, a.ClientDescription)
	for _, task := range slices.Sorted(maps.Keys(a.TaskStates)) {
		state := a.TaskStates[task]
		if !all && !state.Failed && state.Restarts == 0 {
			if state.State == taskRunning {
				s.explainComplaints(ctx, out, a.ID, task)
			}
			continue
		}
		fmt.Fprintf(out, "    task %s is %s, failed %v, restarted %d times\n", task, state.State, state.Failed, state.Restarts)
		for _, event := range state.Events[max(0, len(state.Events)-shownEvents):] {
			fmt.Fprintf(out, "      %s %s: %s\n", time.Unix(0, event.Time).Format("15:04:05.000"), event.Type, event.DisplayMessage)
		}
		for _, line := range s.lastLines(ctx, a.ID, task) {
			fmt.Fprintf(out, "      | %s\n", line)
		}
	}
}

// explainComplaints shows what a role that runs has warned of.
func (s *suite) explainComplaints(ctx context.Context, out io.Writer, allocation, task string) {
	for _, line := range s.lastLines(ctx, allocation, task) {
		if strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`) {
			fmt.Fprintf(out, "    %s | %s\n", task, line)
		}
	}
}

// lastLines are the last that a task wrote to its standard error.
func (s *suite) lastLines(ctx context.Context, allocation, task string) []string {
	cancel := make(chan struct{})
	defer close(cancel)
	frames, failed := s.nomad.AllocFS().Logs(&nomad.Allocation{ID: allocation}, false, task, "stderr", "end", shownOutput, cancel, nil)
	var text strings.Builder
	for {
		select {
		case frame, open := <-frames:
			if !open {
				lines := strings.Split(strings.TrimSpace(text.String()), "\n")
				return lines[max(0, len(lines)-shownLines):]
			}
			text.Write(frame.Data)
		case err := <-failed:
			return []string{fmt.Sprintf("what it printed is not known: %v", err)}
		case <-ctx.Done():
			return []string{"what it printed does not come"}
		}
	}
}

func (s *suite) explainChecks(ctx context.Context, out io.Writer) error {
	checks, _, err := s.consul.Health().State(consul.HealthAny, consulQuery(ctx))
	for _, check := range checks {
		if check.Status != consul.HealthPassing {
			fmt.Fprintf(out, "check %s of %s on %s is %s: %s\n", check.Name, check.ServiceID, check.Node, check.Status, check.Output)
		}
	}
	return err
}

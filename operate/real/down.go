package real

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/agents"
)

const (
	tasksWait = 90 * time.Second // for the tasks of a kind of jobs to finish what they hold
	leftWait  = 10 * time.Second // for what Nomad has left behind to end
)

// Down stops the jobs, so that their tasks end in order, the roles before the
// parts that they need, and then the agents. It sees to it that nothing of the
// stack runs any more, also when its agents were killed. The data is kept. When
// the context ends it waits for nobody. It may be called twice.
func (s *Stack) Down(ctx context.Context) error {
	if _, err := os.Stat(s.Dir); errors.Is(err, os.ErrNotExist) {
		return nil // purged
	}
	release, err := lock(s.Dir)
	if err != nil {
		return err
	}
	defer release()
	return s.down(ctx)
}

func (s *Stack) down(ctx context.Context) error {
	failed := s.stopJobs(ctx)
	patient := context.WithoutCancel(ctx)
	failed = errors.Join(failed, s.nomadAgent().Stop(patient, stopWait), s.consulAgent().Stop(patient, stopWait))
	_, err := agents.EndLeft(patient, s.Dir, leftWait)
	failed = errors.Join(failed, s.removeContainers(patient), unmountBelow(s.Dir))
	if err == nil {
		err = os.Remove(s.file(stackFile))
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return fmt.Errorf("stop the real stack: %w", failed)
	}
	return nil
}

// Purge removes the data of a stack that does not run.
func Purge(dir string) error {
	s, err := Open(dir)
	var none *NotUpError
	if err == nil {
		return fmt.Errorf("remove the data of the real stack: it runs in %s", s.Dir)
	}
	if !errors.As(err, &none) {
		return err
	}
	s = &Stack{Dir: none.Dir}
	for _, name := range []string{nomadDir, consulDir, volumesDir, logsDir, nomadFile, ownFile, consulFile} {
		if err := os.RemoveAll(s.file(name)); err != nil {
			return fmt.Errorf("remove the data of the real stack: %w", err)
		}
	}
	_ = os.Remove(s.Dir) // where it holds something else, that is not ours
	return nil
}

// stopJobs stops all jobs, if Nomad answers, and has it forget them.
func (s *Stack) stopJobs(ctx context.Context) error {
	if s.nomadAgent().PID() == 0 {
		return nil
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	defer client.Close()
	stopper := stopper{client}
	list, err := stopper.list(ctx)
	if err != nil {
		return nil // it does not answer: its tasks are ended without it
	}
	var roles, parts []*api.JobListStub
	for _, job := range list {
		if job.Meta[jobs.MetaPart] == "" {
			roles = append(roles, job)
		} else {
			parts = append(parts, job)
		}
	}
	for _, kind := range [][]*api.JobListStub{roles, parts} {
		if err := stopper.stop(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

type stopper struct{ client *api.Client }

// list are the jobs of all namespaces, with their meta.
func (s stopper) list(ctx context.Context) ([]*api.JobListStub, error) {
	list, _, err := s.client.Jobs().ListOptions(&api.JobListOptions{Fields: &api.JobListFields{Meta: true}},
		(&api.QueryOptions{Namespace: api.AllNamespacesNamespace}).WithContext(ctx))
	return list, err
}

// stop stops jobs together, waits until none of their tasks runs, and removes them.
func (s stopper) stop(ctx context.Context, list []*api.JobListStub) error {
	ctx, cancel := context.WithTimeout(ctx, tasksWait)
	defer cancel()
	if err := s.deregister(ctx, list, false); err != nil {
		return err
	}
	for _, job := range list {
		s.wait(ctx, job)
	}
	return s.deregister(ctx, list, true)
}

func (s stopper) deregister(ctx context.Context, list []*api.JobListStub, purge bool) error {
	for _, job := range list {
		_, _, err := s.client.Jobs().DeregisterOpts(job.ID, &api.DeregisterOptions{Purge: purge}, (&api.WriteOptions{Namespace: job.Namespace}).WithContext(ctx))
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("stop job %s: %w", job.ID, err)
		}
	}
	return nil
}

// wait returns when no task of the job runs, or the context ends.
func (s stopper) wait(ctx context.Context, job *api.JobListStub) {
	const lookAgain = 100 * time.Millisecond
	for {
		allocations, _, err := s.client.Jobs().Allocations(job.ID, true, (&api.QueryOptions{Namespace: job.Namespace}).WithContext(ctx))
		if err == nil && !anyRuns(allocations) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAgain):
		}
	}
}

// anyRuns tells whether an allocation has not come to its end.
func anyRuns(allocations []*api.AllocationListStub) bool {
	ended := []string{api.AllocClientStatusComplete, api.AllocClientStatusFailed, api.AllocClientStatusLost}
	return slices.ContainsFunc(allocations, func(a *api.AllocationListStub) bool { return !slices.Contains(ended, a.ClientStatus) })
}

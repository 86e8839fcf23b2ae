package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing/fstest"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
)

// query bounds a question to Nomad.
func query(ctx context.Context) *nomad.QueryOptions { return new(nomad.QueryOptions).WithContext(ctx) }

// job is the running version of a job.
func (r run) job(id string) (job *nomad.Job) {
	r.Helper()
	r.await("read job "+id, func(ctx context.Context) (err error) {
		job, _, err = r.nomad.Jobs().Info(id, query(ctx))
		return err
	})
	return job
}

// with is the job as its own file has it, with other values for some of the
// file's variables.
func (r run) with(id string, variables map[string]string) (job jobs.Job) {
	r.Helper()
	r.await("read the file of job "+id, func(ctx context.Context) error {
		info, _, err := r.nomad.Jobs().Info(id, query(ctx))
		if err != nil {
			return err
		}
		submission, _, err := r.nomad.Jobs().Submission(id, int(*info.Version), query(ctx))
		if err != nil {
			return err
		}
		given := maps.Clone(submission.VariableFlags)
		if given == nil {
			given = map[string]string{}
		}
		maps.Copy(given, variables)
		file := fstest.MapFS{id + jobs.Extension: {Data: []byte(submission.Source)}}
		job, err = jobs.Read(file, id, given)
		return err
	})
	return job
}

// register registers a version of a job and returns its number.
func (r run) register(job jobs.Job) (version uint64) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), askAtMost)
	defer cancel()
	options := &nomad.RegisterOptions{Submission: job.Submission()}
	_, _, err := r.nomad.Jobs().RegisterOpts(job.Job, options, new(nomad.WriteOptions).WithContext(ctx))
	require.NoError(r, err, "register job %s", *job.ID)
	return *r.job(*job.ID).Version
}

// restore sets going that a job is as its version was.
func (r run) restore(id string, version uint64) {
	r.Helper()
	r.await("revert job "+id, func(ctx context.Context) error {
		_, _, err := r.nomad.Jobs().Revert(id, version, nil, new(nomad.WriteOptions).WithContext(ctx), "", "")
		return err
	})
}

// deployment waits until the deployment of a job's version is as it should be.
func (r run) deployment(id string, version uint64, ready func(*nomad.Deployment) bool) (found *nomad.Deployment) {
	r.Helper()
	r.await(fmt.Sprintf("deployment of version %d of job %s", version, id), func(ctx context.Context) error {
		list, _, err := r.nomad.Jobs().Deployments(id, true, query(ctx))
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(d *nomad.Deployment) bool { return d.JobVersion == version })
		if i < 0 {
			return errors.New("there is none")
		}
		if found = list[i]; !ready(found) {
			return fmt.Errorf("it is %s: %s", found.Status, found.StatusDescription)
		}
		return nil
	})
	return found
}

func hasStatus(status string) func(*nomad.Deployment) bool {
	return func(d *nomad.Deployment) bool { return d.Status == status }
}

// allocations are those of a job that are to run, the oldest first.
func (s *suite) allocations(ctx context.Context, id string) ([]*nomad.AllocationListStub, error) {
	list, _, err := s.nomad.Jobs().Allocations(id, false, query(ctx))
	list = slices.DeleteFunc(list, func(a *nomad.AllocationListStub) bool {
		return a.DesiredStatus != nomad.AllocDesiredStatusRun || a.ClientStatus == nomad.AllocClientStatusLost
	})
	slices.SortFunc(list, func(a, b *nomad.AllocationListStub) int { return cmp.Compare(a.CreateIndex, b.CreateIndex) })
	return list, err
}

// settled waits until the nodes take what comes and the services of some jobs
// run, as many instances as they are to have, no update of them is under way, and
// Consul finds them healthy.
func (r run) settled(which func(*nomad.Job) bool) {
	r.Helper()
	r.await("what is to run is healthy", func(ctx context.Context) error {
		nodes, _, err := r.nomad.Nodes().List(query(ctx))
		if err != nil {
			return err
		}
		for _, node := range nodes {
			if node.Status != nomad.NodeStatusReady || node.SchedulingEligibility != nomad.NodeSchedulingEligible || node.Drain {
				return fmt.Errorf("node %s is %s and %s", node.Name, node.Status, node.SchedulingEligibility)
			}
		}
		list, _, err := r.nomad.Jobs().List(query(ctx))
		if err != nil {
			return err
		}
		for _, stub := range list {
			if stub.Type != nomad.JobTypeService || stub.Stop {
				continue
			}
			job, _, err := r.nomad.Jobs().Info(stub.ID, query(ctx))
			if err != nil {
				return err
			}
			if !which(job) {
				continue
			}
			if err := r.lacks(ctx, job); err != nil {
				return fmt.Errorf("job %s: %w", stub.ID, err)
			}
		}
		return nil
	})
}

// lacks is why a job is not as it is to be.
func (s *suite) lacks(ctx context.Context, job *nomad.Job) error {
	deployment, _, err := s.nomad.Jobs().LatestDeployment(*job.ID, query(ctx))
	if err != nil {
		return err
	}
	if deployment != nil && deployment.JobVersion == *job.Version && deployment.Status == nomad.DeploymentStatusRunning {
		return fmt.Errorf("deployment %.8s: %s", deployment.ID, deployment.StatusDescription)
	}
	list, err := s.allocations(ctx, *job.ID)
	if err != nil {
		return err
	}
	for _, group := range job.TaskGroups {
		count, runs := *group.Count, 0
		for _, a := range list {
			if a.TaskGroup != *group.Name {
				continue
			}
			if a.ClientStatus != nomad.AllocClientStatusRunning {
				return fmt.Errorf("allocation %s is %s", a.Name, a.ClientStatus)
			}
			runs++
		}
		if runs != count {
			return fmt.Errorf("%d of %d instances of group %s run", runs, count, *group.Name)
		}
		for _, service := range group.Services {
			if err := s.lacksService(ctx, service, count); err != nil {
				return err
			}
		}
	}
	return nil
}

// lacksService is why a service does not have as many healthy instances as it is to have.
func (s *suite) lacksService(ctx context.Context, service *nomad.Service, count int) error {
	if service.Provider != "consul" {
		return nil
	}
	entries, _, err := s.consul.Health().ServiceMultipleTags(service.Name, service.Tags, false, consulQuery(ctx))
	if err != nil {
		return err
	}
	var failing []string
	for _, entry := range entries {
		for _, check := range entry.Checks {
			if check.Status != "passing" {
				failing = append(failing, fmt.Sprintf("%s of %s is %s: %s", check.Name, entry.Service.ID, check.Status, check.Output))
			}
		}
	}
	if len(failing) > 0 {
		return errors.New(strings.Join(failing, "; "))
	}
	if len(entries) != count {
		return fmt.Errorf("consul has %d instances of %s instead of %d", len(entries), service.Name, count)
	}
	return nil
}

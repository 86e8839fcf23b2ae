package emulator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/emulator/nomad/topology"
	"github.com/drydock/drydock/jobs"
)

// startNomad starts Nomad with the jobs, and waits until all of them are
// healthy. Nothing runs before there is what the jobs need, which clouds waits for.
func (s *Stack) startNomad(ctx context.Context, jobs []job, clouds func() error) (err error) {
	for _, j := range jobs {
		if err := checkStaticPorts(j.Job.Job); err != nil {
			return err
		}
	}
	regions := slices.Clone(s.options.Regions)
	if len(regions) == 0 {
		regions = []nomad.Region{topology.Default("global")}
	}
	regions[0].HTTP = address(s.options.Ports[PartNomad])
	var fresh []job
	s.Nomad, err = nomad.Start(ctx, nomad.Options{
		Regions: regions,
		Dir:     filepath.Join(s.options.Dir, "nomad"),
		Consul:  s.Consul.URL("dc1"),
		Path:    s.options.Path,
		Logger:  s.options.Logger,
		Output:  s.options.Output,
		Prepare: func(ctx context.Context, n *nomad.Nomad) error {
			if err := clouds(); err != nil {
				return err
			}
			if err := s.registerParts(ctx); err != nil {
				return err
			}
			fresh, err = s.renew(ctx, n.URL(regions[0].Name), jobs)
			return err
		},
	})
	if err != nil {
		return err
	}
	for _, j := range fresh {
		if err := s.run(ctx, j); err != nil {
			return err
		}
	}
	return s.waitHealthy(ctx, jobs)
}

// NomadURL is where the API of Nomad's first region answers.
func (s *Stack) NomadURL() string { return s.client.Address() }

// renew brings what Nomad has kept from an earlier life up to date before any
// node starts, so that nothing runs with addresses and files of then. It returns
// the jobs that are new.
func (s *Stack) renew(ctx context.Context, address string, jobs []job) (fresh []job, err error) {
	if s.client, err = api.NewClient(&api.Config{Address: address}); err != nil {
		return nil, err
	}
	before, err := s.registered(ctx)
	if err != nil {
		return nil, err
	}
	now := map[string]string{}
	for _, j := range jobs {
		now[*j.ID] = j.InNamespace()
	}
	known := maps.Clone(now) // until those that are gone are stopped
	maps.Copy(known, before)
	if err := s.putVariable(ctx, registeredPath, known); err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if before[*j.ID] == "" {
			fresh = append(fresh, j)
			continue
		}
		if err := errors.Join(s.run(ctx, j), s.retry(ctx, j)); err != nil {
			return nil, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if now[id] != "" {
			continue
		}
		if _, _, err := s.client.Jobs().Deregister(id, false, writing(ctx, before[id])); err != nil {
			return nil, fmt.Errorf("stop job %q, which has no file any more: %w", id, err)
		}
	}
	return fresh, s.putVariable(ctx, registeredPath, now)
}

// run has a job run with what it is to know, as it is now. One that runs so
// already Nomad leaves alone.
func (s *Stack) run(ctx context.Context, j job) error {
	secrets, err := s.secretsOf(j)
	if err != nil {
		return err
	}
	if err := s.putVariable(ctx, jobs.VariablePath(*j.ID), secrets); err != nil {
		return err
	}
	_, _, err = s.client.Jobs().RegisterOpts(j.Job.Job, &api.RegisterOptions{
		Submission: j.Submission(),
	}, writing(ctx, j.InNamespace()))
	if err != nil {
		return fmt.Errorf("register job %q: %w", *j.ID, err)
	}
	return nil
}

// retry gives what of a job has failed another chance, as the program that it
// runs may be mended.
func (s *Stack) retry(ctx context.Context, j job) error {
	list, _, err := s.client.Jobs().Allocations(*j.ID, false, reading(ctx, j.InNamespace()))
	if err == nil && !j.waits() && slices.ContainsFunc(list, hasFailed) {
		_, _, err = s.client.Jobs().EvaluateWithOpts(*j.ID, api.EvalOptions{ForceReschedule: true}, writing(ctx, j.InNamespace()))
	}
	if err != nil {
		return fmt.Errorf("retry job %q: %w", *j.ID, err)
	}
	return nil
}

// hasFailed tells whether an allocation has failed, and nothing has come in its place.
func hasFailed(a *api.AllocationListStub) bool {
	return a.DesiredStatus == api.AllocDesiredStatusRun && a.ClientStatus == api.AllocClientStatusFailed
}

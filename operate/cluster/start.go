package cluster

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// startAgents starts the agents of zones that do not run, and returns when all
// are ready. Those of one kind start together, as they need each other, and the
// kinds in their order: what does not find the one before looks again only
// after many seconds.
func (s *Stack) startAgents(ctx context.Context, zones []Zone) error {
	for _, name := range agentNames {
		if err := s.startKind(ctx, zones, name); err != nil {
			return err
		}
	}
	return nil
}

// startKind starts an agent of each of the zones.
func (s *Stack) startKind(ctx context.Context, zones []Zone, name string) error {
	ctx, cancel := context.WithTimeout(ctx, agentWait)
	defer cancel()
	for _, z := range zones {
		if s.agent(z, name).PID() != 0 {
			continue
		}
		if err := s.agent(z, name).Start(); err != nil {
			return fmt.Errorf("zone %s: %w", z.Name, err)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, z := range zones {
		group.Go(func() error {
			if err := s.agent(z, name).WaitReady(ctx, z.readiness(name)); err != nil {
				return fmt.Errorf("zone %s: %w", z.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

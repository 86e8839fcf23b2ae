package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/nomad/api"
)

// topologyFile describes the nodes.
const topologyFile = `
region "global" {
  node "node" {
    count  = %d
    cpu    = 4000
    memory = 8192
    disk   = 20480
  }
}
`

// nomadTopology is how the emulator did with more nodes than the machine has.
type nomadTopology struct {
	command []string

	starts, placed []float64 // ms
}

// round starts the nodes, has an allocation placed on each of them, and stops them.
func (t *nomadTopology) round(ctx context.Context, dir string) (err error) {
	file := filepath.Join(dir, "topology.hcl")
	if err := os.WriteFile(file, fmt.Appendf(nil, topologyFile, nomadNodes), 0o600); err != nil {
		return err
	}
	running, err := startNomad(ctx, dir, t.command, nomadNodes, "-topology="+file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.server.Close()) }()
	if err := untilIdle(ctx, running.server.cmd.Process.Pid); err != nil {
		return err
	}
	job := mockJob(manyName+"nodes", nomadNodes)
	job.Constraints = []*api.Constraint{{Operand: api.ConstraintDistinctHosts, RTarget: "true"}}
	began := time.Now()
	if err := running.register(ctx, job); err != nil {
		return err
	}
	err = running.until(ctx, func() (bool, error) {
		placed, _, err := running.counts(ctx)
		return placed == nomadNodes, err
	})
	if err != nil {
		return err
	}
	t.starts = append(t.starts, milliseconds(running.started))
	t.placed = append(t.placed, milliseconds(time.Since(began)))
	return nil
}

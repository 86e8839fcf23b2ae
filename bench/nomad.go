package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

const (
	nomadInstances   = 3    // of the service that is deployed
	nomadSubscribers = 1000 // of the event stream
	nomadNodes       = 1000 // of the topology that one machine has not
	nomadMany        = 10_000
	// nomadManyReal is how many allocations the real one is given at once: the
	// time that it takes grows faster than their number on its node.
	nomadManyReal = 1000
)

// nomadAgent is a program that is a Nomad agent, and how it did.
type nomadAgent struct {
	name    string
	command []string
	many    int // allocations that are placed at once

	starts, memory, own []float64 // ms, MB, MB
	deployed, checked   []float64 // ms
	told                []float64 // ms
	placed, running     []float64 // allocations/s
}

// nomadSuite measures the emulator beside the real Nomad, each as a process of
// its own in -dev mode with the same configuration, for the same client.
func nomadSuite(ctx context.Context, b *bench) ([]Result, error) {
	drydock := filepath.Join(b.root, "bin", "drydock") // as make builds it
	b.say("looking for the real Nomad")
	program, err := b.realProgram(ctx, "nomad")
	if err != nil {
		return nil, err
	}
	web, err := b.build(ctx, "web", "./bench/web")
	if err != nil {
		return nil, err
	}
	real := &nomadAgent{name: "real", command: []string{program, "agent"}, many: nomadManyReal}
	ours := &nomadAgent{name: "emulated", command: []string{drydock, "nomad", "agent"}, many: nomadMany}
	wide := &nomadTopology{command: ours.command}
	for round := range b.rounds {
		agents := []*nomadAgent{real, ours}
		if round%2 == 1 {
			agents = []*nomadAgent{ours, real}
		}
		for _, agent := range agents {
			if err := agent.round(ctx, b.dir, web); err != nil {
				return nil, fmt.Errorf("the %s Nomad: %w", agent.name, err)
			}
			b.say("round %d of %d: %-8s %5.0f ms to start, %3.0f MB, %5.0f ms to deploy, %5.0f ms with checks, %5.0f ms to tell all, %6.0f placed/s, %6.0f running/s",
				round+1, b.rounds, agent.name, agent.starts[round], agent.memory[round], agent.deployed[round], agent.checked[round],
				agent.told[round], agent.placed[round], agent.running[round])
		}
		if err := wide.round(ctx, b.dir); err != nil {
			return nil, fmt.Errorf("the topology: %w", err)
		}
		b.say("round %d of %d: %d nodes %5.0f ms to start, %5.0f ms to place %d", round+1, b.rounds, nomadNodes, wide.starts[round], wide.placed[round], nomadNodes)
	}
	return nomadResults(real, ours, wide), nil
}

func nomadResults(real, ours *nomadAgent, wide *nomadTopology) []Result {
	results := []Result{
		result("real: start to a ready node", "ms", real.starts),
		result("emulated: start to a ready node", "ms", ours.starts).below(100),
	}
	for _, row := range []struct {
		name, unit string
		real, ours []float64
	}{
		{"memory when idle", "MB", real.memory, ours.memory},
		{"memory when idle, without the program's pages", "MB", real.own, ours.own},
		{fmt.Sprintf("%d instances healthy by their tasks", nomadInstances), "ms", real.deployed, ours.deployed},
		{fmt.Sprintf("%d instances healthy by their checks", nomadInstances), "ms", real.checked, ours.checked},
		{fmt.Sprintf("%d subscribers told of a job, the last after", nomadSubscribers), "ms", real.told, ours.told},
	} {
		results = append(results,
			result("real: "+row.name, row.unit, row.real),
			result("emulated: "+row.name, row.unit, row.ours).against("real", row.ours, row.real).below(1))
	}
	for _, row := range []struct {
		name       string
		real, ours []float64
	}{
		{"allocations at once, placed", real.placed, ours.placed},
		{"allocations at once, running", real.running, ours.running},
	} {
		results = append(results,
			result(fmt.Sprintf("real: %d %s", real.many, row.name), "1/s", row.real),
			result(fmt.Sprintf("emulated: %d %s", ours.many, row.name), "1/s", row.ours).against("real", row.ours, row.real).atLeast(1))
	}
	return append(results,
		result(fmt.Sprintf("emulated: %d allocations placed after", ours.many), "s", secondsOf(ours.many, ours.placed)).below(3),
		result(fmt.Sprintf("emulated: %d allocations running after", ours.many), "s", secondsOf(ours.many, ours.running)),
		result(fmt.Sprintf("emulated: start to %d ready nodes", nomadNodes), "ms", wide.starts),
		result(fmt.Sprintf("emulated: an allocation placed on each of %d nodes after", nomadNodes), "ms", wide.placed))
}

// secondsOf is how long so many took, of what was done in a second.
func secondsOf(count int, rates []float64) []float64 {
	seconds := make([]float64, len(rates))
	for i, rate := range rates {
		seconds[i] = float64(count) / rate
	}
	return seconds
}

// round starts the agent, measures everything once, and stops it.
func (a *nomadAgent) round(ctx context.Context, dir, web string) (err error) {
	running, err := startNomad(ctx, dir, a.command, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.server.Close()) }()
	pid := running.server.cmd.Process.Pid
	if err := untilIdle(ctx, pid); err != nil {
		return err
	}
	a.starts = append(a.starts, milliseconds(running.started))
	a.memory = append(a.memory, residentOf(pid))
	a.own = append(a.own, ownOf(pid))
	deployed, err := running.deploy(ctx, sleepingJob())
	if err != nil {
		return err
	}
	checked, err := running.deploy(ctx, checkedJob(web))
	if err != nil {
		return err
	}
	told, err := running.tell(ctx)
	if err != nil {
		return err
	}
	placed, ran, err := running.placeMany(ctx, a.many)
	if err != nil {
		return err
	}
	a.deployed, a.checked = append(a.deployed, milliseconds(deployed)), append(a.checked, milliseconds(checked))
	a.told = append(a.told, milliseconds(told))
	a.placed = append(a.placed, float64(a.many)/placed.Seconds())
	a.running = append(a.running, float64(a.many)/ran.Seconds())
	return nil
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	emulator "github.com/drydock/drydock/emulator/nats"
)

const (
	runnerStream    = "bench"
	runnerEvents    = 100_000
	runnerEventSize = 1 << 10
	runnerWriters   = 256
)

// consuming is a way to take, handle and acknowledge all events of a stream.
type consuming struct {
	name, what string
	command    []string
	failed     error
	rounds     []float64 // events per second
	costs      []float64 // µs of a processor that an event took, the server's part left out
}

// runnerSuite consumes the same events of one server in every way.
func runnerSuite(ctx context.Context, b *bench) (results []Result, err error) {
	consume, err := b.build(ctx, "consume", "./bench/runner/consume")
	if err != nil {
		return nil, err
	}
	s, err := emulator.Start(emulator.Options{Dir: filepath.Join(b.dir, "nats")})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	b.say("publishing %d events of %d bytes", runnerEvents, runnerEventSize)
	if err := publishEvents(ctx, s.URL()); err != nil {
		return nil, err
	}

	bare := &consuming{name: "bare loop", what: "nats.go alone: next, acknowledge", command: []string{consume, "bare"}}
	ours := &consuming{name: "runner", what: "workers/runner", command: []string{consume, "runner"}}
	peer := &consuming{name: "watermill", what: "with Retry and PoisonQueue"}
	peer.command, peer.failed = b.buildWatermill(ctx)
	ways := []*consuming{bare, ours, peer}
	for round := range b.rounds {
		for i := range ways {
			if round%2 == 1 {
				i = len(ways) - 1 - i
			}
			if err := ways[i].round(ctx, b, s.URL(), round); err != nil {
				return nil, err
			}
		}
	}
	row := func(c *consuming) Result { return result("consume: "+c.name+": "+c.what, "events/s", c.rounds) }
	results = []Result{row(bare), row(ours).against(bare.name, ours.rounds, bare.rounds).atLeast(0.9)}
	if peer.failed != nil {
		return append(results, missing("consume: "+peer.name+": "+peer.what, peer.failed)), nil
	}
	return append(results,
		row(peer).against(bare.name, peer.rounds, bare.rounds),
		row(ours).against(peer.name, ours.rounds, peer.rounds).atLeast(1.5),
	), nil
}

// buildWatermill builds the versions that runner/watermill pins.
func (b *bench) buildWatermill(ctx context.Context) ([]string, error) {
	b.say("building watermill")
	path := b.cached("watermill")
	_, err := output(exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(b.root, "bench", "runner", "watermill"), "-o", path, "."))
	return []string{path}, err
}

// publishEvents fills the stream.
func publishEvents(ctx context.Context, url string) error {
	bus, err := nats.OpenBus(ctx, url)
	if err != nil {
		return err
	}
	defer bus.Close()
	data := bytes.Repeat([]byte("x"), runnerEventSize)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runnerWriters)
	for i := range runnerEvents {
		group.Go(func() error {
			return bus.Publish(ctx, runnerStream+".events", cloud.Event{
				ID: fmt.Sprint(i), Source: "/drydock/bench", Type: "dev.drydock.bench", Time: time.Now(), Data: data,
			})
		})
	}
	return group.Wait()
}

// round runs the program once, as a consumer that nobody had before. The
// failure of a peer is its own affair.
func (c *consuming) round(ctx context.Context, b *bench, url string, round int) error {
	if c.failed != nil {
		return nil
	}
	consumer := fmt.Sprintf("%s-%d", strings.ReplaceAll(c.name, " ", "-"), round)
	args := append(c.command[1:len(c.command):len(c.command)], url, runnerStream, consumer, fmt.Sprint(runnerEvents))
	cmd := gently(exec.CommandContext(ctx, c.command[0], args...))
	printed, err := output(cmd)
	var line struct{ Events, Seconds float64 }
	if err == nil && (json.Unmarshal(printed, &line) != nil || line.Events != runnerEvents || line.Seconds <= 0) {
		err = fmt.Errorf("%s did not take %d events: it printed %.100q", c.name, runnerEvents, printed)
	}
	if err != nil {
		if c.name == "watermill" {
			c.failed = err
			return ctx.Err()
		}
		return err
	}
	c.rounds = append(c.rounds, line.Events/line.Seconds)
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	c.costs = append(c.costs, float64(used.Microseconds())/runnerEvents)
	b.say("round %d of %d: %-9s %6.0f events/s, %.1f µs of a processor each", round+1, b.rounds, c.name, c.rounds[round], c.costs[round])
	return nil
}

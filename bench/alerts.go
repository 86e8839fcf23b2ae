package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	emulator "github.com/drydock/drydock/emulator/nats"
)

// alertsQuotes are the quotes of the stream that the worker and the bare loop read.
const alertsQuotes = 200_000

// evaluating is one way of bench/alerts, and how it did.
type evaluating struct {
	name   string
	rounds []float64 // quotes per second
	alerts []float64 // in a hundred quotes
	bytes  []float64 // of the heap for each rule
}

// alertsSuite evaluates quotes against a million rules: in the engine alone,
// on one core, and in the worker through JetStream beside the bare loop.
func alertsSuite(ctx context.Context, b *bench) (results []Result, err error) {
	program, err := b.build(ctx, "alerts", "./bench/alerts")
	if err != nil {
		return nil, err
	}
	s, err := emulator.Start(emulator.Options{Dir: filepath.Join(b.dir, "alerts-nats")})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	b.say("publishing %d quotes", alertsQuotes)
	if err := (&evaluating{name: "publish"}).round(ctx, b, program, "publish", s.URL(), fmt.Sprint(alertsQuotes)); err != nil {
		return nil, err
	}

	engine, skewed := &evaluating{name: "engine"}, &evaluating{name: "engine, skewed"}
	bare, worker := &evaluating{name: "bare loop"}, &evaluating{name: "worker"}
	for round := range b.rounds {
		name := fmt.Sprintf("bench-%d", round)
		rounds := []func() error{
			func() error { return engine.round(ctx, b, program, "engine") },
			func() error { return skewed.round(ctx, b, program, "engine", "skewed") },
			func() error { return bare.round(ctx, b, program, "bare", s.URL(), name, fmt.Sprint(alertsQuotes)) },
			func() error { return worker.round(ctx, b, program, "worker", s.URL(), name, fmt.Sprint(alertsQuotes)) },
		}
		for i := range rounds {
			if round%2 == 1 {
				i = len(rounds) - 1 - i
			}
			if err := rounds[i](); err != nil {
				return nil, err
			}
		}
	}
	return []Result{
		result("engine: 1,000,000 rules over 10,000 symbols, one core", "quotes/s", engine.rounds).atLeast(500_000),
		result("engine: heap for each rule", "bytes", engine.bytes).below(200),
		result("engine: alerts fired", "per 100 quotes", engine.alerts),
		result("engine, skewed: 100,000 of the rules on one symbol", "quotes/s", skewed.rounds).atLeast(500_000),
		result("bare loop: nats.go alone: fetch, acknowledge", "quotes/s", bare.rounds),
		result("worker: the same rules, through JetStream", "quotes/s", worker.rounds).against("bare loop", worker.rounds, bare.rounds).atLeast(0.7),
		result("worker: alerts published", "per 100 quotes", worker.alerts),
	}, nil
}

// round runs the program once; the engine has one core.
func (e *evaluating) round(ctx context.Context, b *bench, program string, args ...string) error {
	cmd := gently(exec.CommandContext(ctx, program, args...))
	if args[0] == "engine" {
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	}
	printed, err := output(cmd)
	if err != nil {
		return err
	}
	var line struct{ Quotes, Seconds, Alerts, Bytes float64 }
	if err := json.Unmarshal(printed, &line); err != nil || line.Quotes <= 0 || line.Seconds <= 0 {
		return fmt.Errorf("%s did not evaluate: it printed %.100q", e.name, printed)
	}
	e.rounds = append(e.rounds, line.Quotes/line.Seconds)
	e.alerts = append(e.alerts, 100*line.Alerts/line.Quotes)
	e.bytes = append(e.bytes, line.Bytes)
	b.say("%-15s %7.0f quotes/s, %.1f alerts in 100 quotes, %3.0f bytes a rule", e.name, line.Quotes/line.Seconds, 100*line.Alerts/line.Quotes, line.Bytes)
	return nil
}

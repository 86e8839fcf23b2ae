package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/demo"
)

// inFlight is how many pictures are on their way at once: those that the
// worker has, and as many again that wait for it.
func (b *bench) inFlight() int { return 2 * b.threads() }

// pipeline is the whole of it, offline: the emulator runs the job files, and
// the demo's client uploads the photographs and follows them to their end.
type pipeline struct {
	stack    *emulator.Stack
	set      photographs
	inFlight int
	bound    float64 // of the worker's memory, MB
	peaks    []float64
	waits    [2][]float64 // the rounds' median and 99th percentile of the waits, ms
}

// enter starts the stack.
func (p *pipeline) enter(ctx context.Context, b *bench, set photographs) (contender, error) {
	p.set, p.inFlight = set, b.inFlight()
	for name, pkg := range map[string]string{"drydock": ".", "drydock-images": "./workers/images"} {
		if _, err := b.build(ctx, name, pkg); err != nil {
			return nil, err
		}
	}
	printed, err := output(exec.CommandContext(ctx, b.cached(transformProgram), "bound", strconv.Itoa(b.threads())))
	if err != nil {
		return nil, err
	}
	bytes, err := strconv.ParseFloat(strings.TrimSpace(string(printed)), 64)
	if err != nil {
		return nil, err
	}
	p.bound = math.Ceil(bytes / (1 << 20))

	b.say("starting the offline stack")
	starting, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	p.stack, err = emulator.Start(starting, emulator.Options{
		Jobs:   jobs.Files,
		Path:   []string{b.cache},
		Logger: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Close implements contender.
func (p *pipeline) Close() error { return p.stack.Close() }

// round implements contender.
func (p *pipeline) round(ctx context.Context) (measurement, error) {
	before := p.processor()
	report, err := demo.Run(ctx, demo.Options{API: p.stack.URL("uploads"), Files: os.DirFS(p.set.dir), Concurrency: p.inFlight})
	if err != nil {
		return measurement{}, err
	}
	var waits []time.Duration
	for _, file := range report.Files {
		if file.Status != "processed" {
			return measurement{}, fmt.Errorf("%s was %s: %s", file.Name, file.Status, file.Reason)
		}
		waits = append(waits, file.Took)
	}
	peak, err := p.workerPeak()
	if err != nil {
		return measurement{}, err
	}
	p.peaks = append(p.peaks, peak)
	for i, percent := range []int{50, 99} {
		p.waits[i] = append(p.waits[i], percentile(waits, percent))
	}
	return measured(len(waits), report.Took.Seconds(), p.processor()-before, peak), nil
}

// processor is what everything has used: this process, which is the store, the
// bus and the client, and the tasks.
func (p *pipeline) processor() float64 {
	used := processorOf(os.Getpid())
	jobs := map[string]bool{}
	for _, allocation := range p.stack.Allocations() {
		jobs[allocation.JobID] = true
	}
	for job := range jobs {
		for _, pid := range p.stack.PIDs(job) {
			used += processorOf(pid)
		}
	}
	return used
}

// workerPeak is the peak memory of the images worker.
func (p *pipeline) workerPeak() (float64, error) {
	for _, allocation := range p.stack.Allocations() {
		if allocation.JobID == "images" && allocation.Running() {
			if allocation.Tasks[0].Restarts > 0 {
				return 0, errors.New("the images worker died meanwhile")
			}
			if pids := p.stack.PIDs("images"); len(pids) > 0 {
				return peakOf(pids[0]), nil
			}
		}
	}
	return 0, errors.New("the images worker does not run")
}

// results are the rows that only the pipeline has.
func (p *pipeline) results() []Result {
	waits := fmt.Sprintf("pipeline: from uploaded to processed, %d on their way, ", p.inFlight)
	return []Result{
		result("pipeline: the worker's peak memory, against its bound", "MB", p.peaks).below(p.bound),
		result(waits+"median", "ms", p.waits[0]),
		result(waits+"p99", "ms", p.waits[1]),
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/drydock/drydock/operate/demo"
)

// limitName is the row that the others are held against.
const limitName = "limit"

// contender is one way to make the default variants of the photographs.
type contender interface {
	// round makes the variants of all of them.
	round(context.Context) (measurement, error)
	Close() error
}

// measurement is what one round of a contender came to.
type measurement struct {
	perSecond float64
	processor float64 // ms of a processor that each picture took, of all processes
	cores     float64 // that were busy with it: fewer than there are when others use the machine
	peak      float64 // MB
}

// measured makes a measurement of seconds of the clock and of processors.
func measured(pictures int, seconds, used, peak float64) measurement {
	return measurement{
		perSecond: float64(pictures) / seconds,
		processor: 1000 * used / float64(pictures),
		cores:     used / seconds,
		peak:      peak,
	}
}

// entrant is a contender and how it did.
type entrant struct {
	name, what string
	ours       bool    // a failure is one of the suite; a peer's is a row
	goal       float64 // of the ratio to the limit
	enter      func(context.Context, *bench, photographs) (contender, error)

	contender contender
	failed    error
	rounds    []measurement
}

func field(of func(measurement) float64) func(*entrant) []float64 {
	return func(e *entrant) []float64 {
		values := make([]float64, len(e.rounds))
		for i, round := range e.rounds {
			values[i] = of(round)
		}
		return values
	}
}

var (
	speeds     = field(func(m measurement) float64 { return m.perSecond })
	processors = field(func(m measurement) float64 { return m.processor })
	cores      = field(func(m measurement) float64 { return m.cores })
	peaks      = field(func(m measurement) float64 { return m.peak })
)

// pictures makes the default variants of the same photographs in every way,
// and loads the API that signs uploads.
func pictures(ctx context.Context, b *bench) (results []Result, err error) {
	set, err := writePhotographs(filepath.Join(b.dir, "photographs"), b.pictures)
	if err != nil {
		return nil, err
	}
	pipe := &pipeline{}
	entrants := []*entrant{
		{name: limitName, what: "libvips alone, in C", enter: enterLimit},
		{name: "transform", what: "the worker's transform", ours: true, goal: 0.95, enter: enterTransform},
		{name: "pipeline", what: "upload, store, event, worker, write", ours: true, goal: 0.85, enter: pipe.enter},
		{name: "imaginary", what: "three requests a picture", enter: enterImaginary},
		{name: "sharp", what: "its own libvips and codecs", enter: enterSharp},
	}
	defer func() {
		for _, e := range entrants {
			if e.contender != nil {
				err = errors.Join(err, e.contender.Close())
			}
		}
	}()
	for _, e := range entrants {
		if err := e.attempt(func() (err error) {
			e.contender, err = e.enter(ctx, b, set)
			return err
		}); err != nil {
			return nil, err
		}
	}
	if err := compete(ctx, b, entrants); err != nil {
		return nil, err
	}
	results = append(table(entrants), pipe.results()...)
	results = append(results, result(fmt.Sprintf("machine: cores that the transform had, of %d", runtime.NumCPU()), "cores", cores(entrants[1])))
	signed, err := signing(ctx, b)
	return append(results, signed...), err
}

// attempt does something for an entrant; the failure of a peer is its own affair.
func (e *entrant) attempt(do func() error) error {
	if err := do(); err != nil {
		e.failed = err
		if e.ours {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// compete runs the rounds. Every other one goes backwards, so that nobody has
// the better place.
func compete(ctx context.Context, b *bench, entrants []*entrant) error {
	for round := range b.rounds {
		for i := range entrants {
			if round%2 == 1 {
				i = len(entrants) - 1 - i
			}
			e := entrants[i]
			if e.failed != nil {
				continue
			}
			if err := e.attempt(func() error {
				m, err := e.contender.round(ctx)
				e.rounds = append(e.rounds, m)
				return err
			}); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if e.failed == nil {
				last := e.rounds[round]
				b.say("round %d of %d: %-9s %5.2f pictures/s, %3.0f ms of a processor each, %.2f cores busy with it, %3.0f MB",
					round+1, b.rounds, e.name, last.perSecond, last.processor, last.cores, last.peak)
			}
		}
	}
	return nil
}

// table makes the rows: speed for all, then what it costs. What a picture takes
// of a processor tells little of others who use the machine meanwhile.
func table(entrants []*entrant) []Result {
	var speed, cost, memory []Result
	limit := entrants[0]
	for _, e := range entrants {
		name := e.name + ": " + e.what
		if e.failed != nil {
			speed = append(speed, missing(name, e.failed))
			continue
		}
		row, took := result(name, "pictures/s", speeds(e)), result(e.name+": processor time of a picture", "ms", processors(e))
		if e != limit && limit.failed == nil {
			row = row.against(limitName, speeds(e), speeds(limit))
			took = took.against(limitName, processors(e), processors(limit))
			if e.goal > 0 {
				row = row.atLeast(e.goal)
			}
		}
		speed, cost = append(speed, row), append(cost, took)
		if e.name != "pipeline" { // its worker's memory has a bound and rows of its own
			memory = append(memory, result(e.name+": peak memory", "MB", peaks(e)))
		}
	}
	return slices.Concat(speed, cost, memory)
}

// photographs are the files that all work on.
type photographs struct {
	dir     string   // holds every picture as often as it is to be sent
	paths   []string // each picture once
	repeats int
}

// count is how many pictures a round has.
func (p photographs) count() int { return len(p.paths) * p.repeats }

// writePhotographs writes the demo's photographs, so often that there are at
// least so many.
func writePhotographs(dir string, atLeast int) (photographs, error) {
	set := photographs{dir: dir}
	files := demo.Photographs()
	names, err := fs.Glob(files, "*.jpg")
	if err != nil || len(names) == 0 {
		return set, fmt.Errorf("there are no photographs: %w", err)
	}
	set.repeats = (atLeast + len(names) - 1) / len(names)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return set, err
	}
	for repeat := range set.repeats {
		for _, name := range names {
			data, err := fs.ReadFile(files, name)
			if err != nil {
				return set, err
			}
			path := filepath.Join(dir, fmt.Sprintf("%03d-%s", repeat, name))
			if err := os.WriteFile(path, data, 0o600); err != nil {
				return set, err
			}
			if repeat == 0 {
				set.paths = append(set.paths, path)
			}
		}
	}
	return set, nil
}

// enterLimit compiles pictures/limit.c.
func enterLimit(ctx context.Context, b *bench, set photographs) (contender, error) {
	flags, err := output(exec.CommandContext(ctx, "pkg-config", "--cflags", "--libs", "vips"))
	if err != nil {
		return nil, err
	}
	args := append([]string{"-O2", b.source("limit.c")}, strings.Fields(string(flags))...)
	if _, err := output(exec.CommandContext(ctx, "cc", append(args, "-lpthread", "-o", b.cached("limit"))...)); err != nil {
		return nil, err
	}
	return program{[]string{b.cached("limit")}, b.threads(), set}, nil
}

// enterTransform builds pictures/transform: the worker's package and nothing around it.
func enterTransform(ctx context.Context, b *bench, set photographs) (contender, error) {
	path, err := b.build(ctx, transformProgram, "./bench/pictures/transform")
	if err != nil {
		return nil, err
	}
	b.say("%d rounds of %d pictures, %d at a time, on %d cores", b.rounds, set.count(), b.threads(), runtime.NumCPU())
	return program{[]string{path}, b.threads(), set}, nil
}

const transformProgram = "transform"

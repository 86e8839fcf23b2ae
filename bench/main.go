// Command bench measures Drydock against what the machine can do at most and
// against its peers, side by side in one run, prints a table and writes
// bench.json into the working folder.
//
//	make bench                   every suite
//	make bench BENCH=pictures    one of them
//
// A goal that is missed is told and no failure; what is ours and fails is one.
// A peer that cannot be had is a row that says why.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// variableSuite is the environment variable that selects one suite.
const variableSuite = "BENCH"

// suites are what can be measured.
var suites = []struct {
	name string
	run  func(context.Context, *bench) ([]Result, error)
}{
	{"pictures", pictures},
	{"alerts", alertsSuite},
	{"mail", mailSuite},
	{"runner", runnerSuite},
	{"consul", consulSuite},
	{"nomad", nomadSuite},
	{"s3", s3Suite},
	{"start", startSuite},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is what the suites share.
type bench struct {
	root     string // of the checkout
	cache    string // kept between runs: built programs, installed packages
	dir      string // of this run alone
	rounds   int
	pictures int
	log      io.Writer
}

// say prints a line of progress.
func (b *bench) say(format string, values ...any) { fmt.Fprintf(b.log, format+"\n", values...) }

// threads is how many pictures everybody may work on at once: as many as the worker does by default.
func (b *bench) threads() int { return runtime.NumCPU() + 1 }

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) (err error) {
	b := &bench{log: stderr}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&b.rounds, "rounds", 7, "how often everything is measured; the medians count")
	flags.IntVar(&b.pictures, "pictures", 24, "pictures in each round, at least")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || b.rounds < 1 || b.pictures < 1 {
		return errors.New("usage: bench [-rounds N] [-pictures N]")
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()

	results, err := b.measure(ctx, getenv(variableSuite))
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	if err := printTable(stdout, results); err != nil {
		return err
	}
	return writeJSON("bench.json", results)
}

// measure runs the selected suite, or all of them.
func (b *bench) measure(ctx context.Context, selected string) ([]Result, error) {
	var results []Result
	known, found := []string{}, false
	for _, suite := range suites {
		known = append(known, suite.name)
		if selected != "" && selected != suite.name {
			continue
		}
		found = true
		measured, err := suite.run(ctx, b)
		if err != nil {
			return nil, fmt.Errorf("suite %s: %w", suite.name, err)
		}
		for _, result := range measured {
			result.Suite = suite.name
			results = append(results, result)
		}
	}
	if !found {
		return nil, fmt.Errorf("%s=%s is no suite: there are %s", variableSuite, selected, strings.Join(known, ", "))
	}
	return results, nil
}

// prepare finds the checkout and makes the folders.
func (b *bench) prepare(ctx context.Context) error {
	module, err := output(exec.CommandContext(ctx, "go", "env", "GOMOD"))
	if err != nil {
		return err
	}
	b.root = filepath.Dir(strings.TrimSpace(string(module)))
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	b.cache = filepath.Join(cache, "drydock", "bench")
	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "drydock-bench-"); err != nil {
		return err
	}
	return nil
}

// cached is the path of a file in the cache folder.
func (b *bench) cached(name string) string { return filepath.Join(b.cache, name) }

// source is the path of a file of the checkout's folder bench/pictures.
func (b *bench) source(name string) string { return filepath.Join(b.root, "bench", "pictures", name) }

// realProgram is the path of a program that the emulator is compared with.
func (b *bench) realProgram(ctx context.Context, name string) (string, error) {
	path, err := output(exec.CommandContext(ctx, filepath.Join(b.root, "scripts", "real.sh"), name))
	return strings.TrimSpace(string(path)), err
}

// build builds a package of this module and returns the program's path.
func (b *bench) build(ctx context.Context, name, pkg string, environment ...string) (string, error) {
	b.say("building %s", name)
	build := exec.CommandContext(ctx, "go", "build", "-o", b.cached(name), pkg)
	build.Dir = b.root
	build.Env = append(os.Environ(), environment...)
	_, err := output(build)
	return b.cached(name), err
}

// Package conformance shows how much of a real program an emulator is: it runs
// the tests that come with the program's official Go client, as they are,
// against the emulator, and holds the result against what the same tests do on
// the real program. The commands in emulator/consul/conformance,
// emulator/nomad/conformance and emulator/s3/conformance are made of it.
package conformance

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Suite is the tests of an official client, which `go test` runs and which start
// the program themselves, and what is known of them.
type Suite struct {
	Known

	// Program is the name of the program that the tests look for on the PATH,
	// under which drydock is the emulator, and of the folder
	// scripts/tools/PROGRAM-api that pins the client.
	Program string

	Packages string // the pattern of the packages whose tests are run

	// Unset are prefixes of environment variables that the tests must not see.
	Unset []string

	Parallel int // how many tests, and so how many servers, run at once
}

// errDiffers says that the report has told why the command fails.
var errDiffers = errors.New("the emulator differs from what is listed")

// Main is the main function of a command: it exits with 1 when run fails, as it
// does when a report finds anything else than is known, in either direction.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, errDiffers) {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	}
	if err != nil {
		os.Exit(1)
	}
}

// Run runs the suite as its arguments say, and reports.
func (s Suite) Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	program := flags.String(s.Program, "bin/drydock", "the `path` of the program to test, which is run under the name "+s.Program)
	pattern := flags.String("run", "", "run only the tests whose names match this `regexp`")
	parallel := flags.Int("parallel", s.Parallel, "how many tests, and so how many servers, run at once")
	if err := flags.Parse(args); err != nil {
		return err
	}

	tests, differs, err := s.expectations()
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "running the tests of %s; it takes about a minute\n", strings.TrimSuffix(s.Packages, "/..."))
	outcomes, err := s.testAll(ctx, *program, tests, differs, *pattern, *parallel)
	if err != nil {
		return err
	}
	return s.Report(stdout, outcomes, *pattern != "")
}

// Package conformance shows how much of a real program an emulator is: it runs
// the tests that come with the program's official Go client, as they are,
// against the emulator, and holds the result against what the same tests do on
// the real program. The commands in emulator/consul/conformance and
// emulator/nomad/conformance are made of it.
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

// Suite is the tests of an official client, and what is known of them.
type Suite struct {
	// Program is the name of the program that the tests look for on the PATH,
	// under which drydock is the emulator, and of the folder
	// scripts/tools/PROGRAM-api that pins the client.
	Program string

	Packages string // the pattern of the packages whose tests are run

	// Unset are prefixes of environment variables that the tests must not see.
	Unset []string

	// Real lists the tests that pass on the real program, one a line.
	Real string

	// Differs lists those of them that do not pass here, one a line, each with
	// the reason; # begins a comment. A reason that begins with "sometimes:" is
	// that of a test that passes or not by chance.
	Differs string

	LeastPassing int // how many tests have to pass, whatever Differs says
	Parallel     int // how many tests, and so how many servers, run at once
}

// title names the suite in the report.
func (s Suite) title() string { return s.Program + "/api" }

// errDiffers says that the report has told why the command fails.
var errDiffers = errors.New("the emulator differs from what is listed")

// Main is the main function of a command that runs the suite: it exits with 1
// when the emulator differs from what the suite lists, in either direction.
func Main(suite Suite) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := suite.run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, errDiffers) {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	}
	if err != nil {
		os.Exit(1)
	}
}

func (s Suite) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	program := flags.String(s.Program, "bin/drydock", "the `path` of the program to test, which is run under the name "+s.Program)
	pattern := flags.String("run", "", "run only the tests whose names match this `regexp`")
	parallel := flags.Int("parallel", s.Parallel, "how many tests, and so how many servers, run at once")
	if err := flags.Parse(args); err != nil {
		return err
	}

	real, differs, err := s.expectations()
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "running the tests of %s; it takes about a minute\n", strings.TrimSuffix(s.Packages, "/..."))
	outcomes, err := s.testAll(ctx, *program, real, differs, *pattern, *parallel)
	if err != nil {
		return err
	}
	logs, err := saveLogs(s.Program, outcomes)
	if err != nil {
		return err
	}
	v := compare(real, differs, outcomes, *pattern != "")
	if err := v.print(stdout, s.title(), logs, len(real)); err != nil {
		return err
	}
	if v.surprises() || *pattern == "" && len(v.passed) < s.LeastPassing {
		return errDiffers
	}
	return nil
}

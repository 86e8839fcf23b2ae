// Command conformance shows how much of Consul the emulator is: it runs the
// tests that come with the official Go client, as they are, against it, and
// holds the result against what the same tests do on the real program.
//
//	make conformance
//
// real.txt lists what passes on the real program, differs.txt what of that does
// not pass here, and why. The command fails when the emulator differs in any
// other way, so both lists stay true. Another program is tested with
// -consul PATH, some tests alone with -run REGEXP.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// leastPassing is how many tests have to pass, whatever differs.txt says.
const leastPassing = 200

// errDiffers says that the report has told why the command fails.
var errDiffers = errors.New("the emulator differs from what is listed")

func main() {
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

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	program := flags.String("consul", "", "the `path` of the program to test; empty is the emulator, as bin/drydock runs it")
	pattern := flags.String("run", "", "run only the tests whose names match this `regexp`")
	parallel := flags.Int("parallel", 32, "how many tests, and so how many servers, run at once")
	if err := flags.Parse(args); err != nil {
		return err
	}

	real, differs, err := expectations(realList, differsList)
	if err != nil {
		return err
	}
	command := []string{*program}
	if *program == "" {
		command = []string{"bin/drydock", "consul"}
	}
	fmt.Fprintln(stderr, "running the tests of github.com/hashicorp/consul/api; it takes about a minute")
	outcomes, err := testClient(ctx, command, *pattern, *parallel)
	if err != nil {
		return err
	}
	logs, err := saveLogs(outcomes)
	if err != nil {
		return err
	}
	v := compare(real, differs, outcomes, *pattern != "")
	if err := v.print(stdout, logs, len(real)); err != nil {
		return err
	}
	if v.surprises() || *pattern == "" && len(v.passed) < leastPassing {
		return errDiffers
	}
	return nil
}

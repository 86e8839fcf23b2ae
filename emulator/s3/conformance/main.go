// Command conformance shows how much of MinIO the emulator's S3 endpoint is: it
// runs the functional tests of minio-go, as they are, against it. Package
// emulator/conformance says how results are judged.
//
//	make conformance
//	go run ./emulator/s3/conformance -minio $(scripts/real.sh minio)
//
// tests.txt lists the tests in their order, differs.txt those that do not pass
// here, and minio.txt those that do not pass on the real MinIO, which the second
// line tests in place of the emulator. The command fails when anything is
// not as it is listed, so the lists stay true.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"

	"github.com/drydock/drydock/emulator/conformance"
)

var (
	//go:embed tests.txt
	testsList string
	//go:embed differs.txt
	differsList string
	//go:embed minio.txt
	minioList string
)

// leastPassing is how many tests have to pass, whatever the lists say.
const leastPassing = 81

func main() { conformance.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	program := flags.String("minio", "", "the `path` of a real MinIO to test in place of the emulator")
	if err := flags.Parse(args); err != nil {
		return err
	}
	known := conformance.Known{Title: "minio-go", Tests: testsList, Differs: differsList, LeastPassing: leastPassing}
	start := startEmulator
	if *program != "" {
		known.Differs = minioList
		start = func() (*endpoint, error) { return startMinIO(ctx, *program) }
	}
	fmt.Fprintln(stderr, "running the functional tests of minio-go; it takes about a minute")
	outcomes, err := test(ctx, start, stderr)
	if err != nil {
		return err
	}
	return known.Report(stdout, outcomes, false)
}

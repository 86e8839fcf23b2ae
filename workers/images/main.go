// Command drydock-images is the images worker: it consumes the object store's
// notifications and makes the variants of every picture that arrives.
//
// It is a program of its own because it links libvips and parses what
// strangers send: nothing else carries that weight or that risk.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/connect"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/role"
	"github.com/drydock/drydock/workers/images/vips"
	"github.com/drydock/drydock/workers/runner"
)

const (
	name = "images"

	drain = 20 * time.Second // less than the job's kill_timeout

	variableVariants    = "DRYDOCK_VARIANTS"
	variableConcurrency = "DRYDOCK_CONCURRENCY"
	defaultListen       = "127.0.0.1:8081"
)

const usage = `drydock-images makes the variants of every picture that is uploaded. "drydock-images health"
asks one that runs whether it lives, as containers' health checks do.

It is configured by the environment:
  DRYDOCK_BUS          the event bus, as nats://host:4222 (required)
  DRYDOCK_OBJECTS      the bucket, as s3+http://host:9000/uploads or s3://bucket (required),
                       with its credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
  DRYDOCK_RECORDS      where records are kept (default: DRYDOCK_BUS)
  DRYDOCK_VARIANTS     a JSON file with the variants to make (default: thumb, small and large as WebP)
  DRYDOCK_CONCURRENCY  pictures at once (default: one more than there are cores)
  DRYDOCK_LISTEN       address for /health/live, /health/ready and /metrics (default ` + defaultListen + `)

Flags:
`

func main() {
	ctx, stop := role.Signals(context.Background())
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "drydock-images:", err)
			os.Exit(1)
		}
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("drydock-images", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	version := flags.Bool("version", false, "print the version and exit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *version {
		fmt.Fprintln(stdout, "drydock-images", role.Version())
		return nil
	}
	listen := cmp.Or(getenv(role.VariableListen), defaultListen)
	switch {
	case flags.NArg() == 0:
		return serve(ctx, listen, getenv, stderr)
	case flags.NArg() == 1 && flags.Arg(0) == "health":
		return role.Health(ctx, listen)
	default:
		return fmt.Errorf("argument %q is not expected: the environment configures it, see --help", flags.Arg(flags.NArg()-1))
	}
}

// serve wires the worker and runs it until the context ends.
func serve(ctx context.Context, listen string, getenv func(string) string, stderr io.Writer) error {
	variants, err := readVariants(getenv(variableVariants))
	if err != nil {
		return err
	}
	concurrency, err := readConcurrency(getenv(variableConcurrency))
	if err != nil {
		return err
	}
	libvips := make(chan error, 1) // which takes longer to start than everything else
	go func() { libvips <- vips.Startup() }()
	c := connect.New(ctx, getenv)
	defer c.Close()
	var (
		objects cloud.Objects
		bus     cloud.Bus
		records cloud.Records
	)
	c.Objects(&objects)
	c.Bus(&bus)
	c.Records(&records, contract.UploadsCollection)
	if err := c.Wait(); err != nil {
		return err
	}
	if err := <-libvips; err != nil {
		return err
	}
	defer vips.Shutdown()

	log, registry := role.Logger(stderr, name), role.Registry()
	var subscribed role.Begun
	limits := vips.DefaultLimits()
	log.Info("bounds", "pictures_at_once", concurrency, "memory_mb", limits.Peak(variants, concurrency)>>20)
	return role.Run(ctx, role.Options{
		Name:     name,
		Listen:   listen,
		Ready:    role.AllReady(bus, records, objects, &subscribed),
		Drain:    drain,
		Registry: registry,
		Logger:   log,
		Work: func(ctx context.Context) error {
			return runner.Run(ctx, runner.Options{
				Bus:        bus,
				Name:       name,
				Topic:      contract.TopicObjectsCreated,
				Subscribed: subscribed.Begin,
				Dependencies: []runner.Dependency{
					{Name: "bus", Check: bus.Ready},
					{Name: "records", Check: records.Ready},
					{Name: "objects", Check: objects.Ready},
				},
				Concurrency: concurrency,
				Drain:       drain,
				Logger:      log,
				Metrics:     runner.NewMetrics(registry),
				Handler: &handler{
					bus: bus, objects: objects, records: records,
					variants: variants, limits: limits, log: log,
				},
			})
		},
	})
}

func readVariants(path string) ([]vips.Variant, error) {
	if path == "" {
		return vips.DefaultVariants(), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", variableVariants, path, err)
	}
	variants, err := vips.ParseVariants(data)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", variableVariants, path, err)
	}
	return variants, nil
}

func readConcurrency(value string) (int, error) {
	if value == "" {
		return runtime.NumCPU() + 1, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 1024 {
		return 0, fmt.Errorf("%s=%s is not a number from 1 to 1024", variableConcurrency, value)
	}
	return n, nil
}

// Command transform makes the default variants of pictures with the images
// worker's own package and nothing around it, in a process of its own so that
// its memory can be told. `make bench` runs it beside limit.c, with the same
// arguments and the same line of output:
//
//	transform ROUNDS THREADS file...
//
// `transform bound THREADS` prints how many bytes a worker of so many threads
// may need at most.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/workers/images/vips"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "transform:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: transform ROUNDS THREADS file... | transform bound THREADS")

func run(args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	threads, err := strconv.Atoi(args[1])
	if err != nil || threads < 1 {
		return errUsage
	}
	variants, limits := vips.DefaultVariants(), vips.DefaultLimits()
	if args[0] == "bound" {
		fmt.Println(limits.Peak(variants, threads))
		return nil
	}
	rounds, err := strconv.Atoi(args[0])
	if err != nil || rounds < 1 || len(args) < 3 {
		return errUsage
	}
	if err := vips.Startup(); err != nil {
		return err
	}
	defer vips.Shutdown()

	began, pictures := time.Now(), 0
	group, ctx := errgroup.WithContext(context.Background())
	group.SetLimit(threads)
	for range rounds {
		for _, path := range args[2:] {
			pictures++
			group.Go(func() error {
				file, err := os.Open(path)
				if err != nil {
					return err
				}
				defer file.Close()
				if _, _, err := vips.Transform(ctx, file, variants, limits); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Printf("{\"pictures\":%d,\"seconds\":%.3f}\n", pictures, time.Since(began).Seconds())
	return nil
}

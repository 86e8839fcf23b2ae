package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

const (
	s3Starts     = 7
	s3MostRounds = 5
	s3Keys       = 100_000 // of the bucket that is listed
	s3KeySize    = 128     // bytes of each
	s3PartSize   = 16 << 20
	s3Parts      = 64 // of the large object, which is 1 GiB
	s3Uploaders  = 8  // of its parts
)

// s3Row is what is measured of both endpoints, turn by turn.
type s3Row struct {
	name, unit string
	measure    func(*s3Endpoint, context.Context) (float64, error)
	smaller    bool    // the smaller the better
	limit      float64 // that ours has to stay below by itself, where there is one
	values     map[string][]float64
}

// s3Suite measures the emulator beside the real MinIO, each as a process of its
// own that makes every write durable before it answers, for the same client; and
// without that, beside versitygw, which leaves it to the system. Two are up at a
// time and take turns.
func s3Suite(ctx context.Context, b *bench) (results []Result, err error) {
	durable, err := b.s3Durable(ctx)
	if err != nil {
		return nil, err
	}
	unsynced, err := b.s3Unsynced(ctx)
	return append(durable, unsynced...), err
}

// ourS3 is the emulator's endpoint.
func (b *bench) ourS3(ctx context.Context, name string, flags ...string) (*s3Endpoint, error) {
	program, err := b.build(ctx, "s3", "./bench/s3", "CGO_ENABLED=0") // as drydock is
	return &s3Endpoint{name: name, program: program, folder: filepath.Join(b.dir, "s3", name), args: func(e *s3Endpoint) []string {
		return append(slices.Clone(flags), e.folder, e.address)
	}}, err
}

func (b *bench) s3Durable(ctx context.Context) (results []Result, err error) {
	b.say("looking for the real MinIO")
	minio, err := b.realProgram(ctx, "minio")
	if err != nil {
		return nil, err
	}
	real := &s3Endpoint{name: "real", program: minio, folder: filepath.Join(b.dir, "minio"), args: func(e *s3Endpoint) []string {
		return []string{"server", "--quiet", "--address", e.address, e.folder}
	}}
	ours, err := b.ourS3(ctx, "emulated")
	if err != nil {
		return nil, err
	}
	var rows []*s3Row
	measure := func(rounds int, some ...*s3Row) error {
		rows = append(rows, some...)
		return b.measureS3(ctx, rounds, some, real, ours)
	}
	if err := measure(s3Starts, &s3Row{name: "start to first signed answer", unit: "ms", measure: (*s3Endpoint).startOnce, smaller: true, limit: 15}); err != nil {
		return nil, err
	}
	stop, err := startS3(ctx, real, ours)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return nil, err
	}
	if err := measure(1, &s3Row{name: "memory when idle", unit: "MB", measure: (*s3Endpoint).idle, smaller: true, limit: 15}); err != nil {
		return nil, err
	}
	rounds := min(b.rounds, s3MostRounds)
	if err := measure(rounds, s3Large()...); err != nil { // before there is an index in memory
		return nil, err
	}
	b.say("putting %d keys to be listed", s3Keys)
	filling, filled := errgroup.WithContext(ctx)
	for _, e := range []*s3Endpoint{real, ours} {
		filling.Go(func() error { return e.fill(filled) })
	}
	if err := filling.Wait(); err != nil {
		return nil, err
	}
	if err := measure(rounds, append(s3Objects(),
		&s3Row{name: fmt.Sprintf("memory at the peak, all of these on %d keys", s3Keys), unit: "MB", measure: (*s3Endpoint).peak, smaller: true},
		&s3Row{name: fmt.Sprintf("list of %d keys", s3Keys), unit: "keys/s", measure: (*s3Endpoint).list},
	)...); err != nil {
		return nil, err
	}
	return s3Results(rows, real, ours), nil
}

func (b *bench) s3Unsynced(ctx context.Context) (results []Result, err error) {
	b.say("building versitygw")
	path := b.cached("versitygw")
	if _, err := output(exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(b.root, "bench", "s3", "versitygw"), "-o", path,
		"github.com/versity/versitygw/cmd/versitygw")); err != nil {
		return nil, err
	}
	peer := &s3Endpoint{name: "versitygw", program: path, folder: filepath.Join(b.dir, "versitygw"), args: func(e *s3Endpoint) []string {
		return []string{"--quiet", "--keep-alive", "--port", e.address, "posix", e.folder}
	}}
	ours, err := b.ourS3(ctx, "unsynced", "-sync=false")
	if err != nil {
		return nil, err
	}
	stop, err := startS3(ctx, peer, ours)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return nil, err
	}
	rows := s3Objects()
	if err := b.measureS3(ctx, min(b.rounds, s3MostRounds), rows, peer, ours); err != nil {
		return nil, err
	}
	return s3Results(rows, peer, ours), nil
}

// startS3 starts endpoints, each with a bucket; stop ends those that run.
func startS3(ctx context.Context, endpoints ...*s3Endpoint) (stop func() error, err error) {
	var running []*s3Endpoint
	stop = func() (err error) {
		for _, e := range running {
			err = errors.Join(err, e.stop())
		}
		return err
	}
	for _, e := range endpoints {
		if err := e.start(ctx); err != nil {
			return stop, err
		}
		running = append(running, e)
		if err := e.ask(ctx, http.MethodPut, s3Bucket); err != nil {
			return stop, err
		}
	}
	return stop, nil
}

// s3Objects are the rows of small and larger objects. The counts keep the real
// one busy for about a second.
func s3Objects() []*s3Row {
	var rows []*s3Row
	for _, load := range []struct {
		size       int
		name       string
		puts, gets int // for 8 clients
	}{
		{64 << 10, "64 KiB", 1000, 4000},
		{4 << 20, "4 MiB", 96, 384},
	} {
		for _, clients := range []int{8, 64} {
			unit, factor := "requests/s", 1.0
			if load.size >= 1<<20 {
				unit, factor = "MiB/s", float64(load.size)/(1<<20)
			}
			body := newS3Body(load.size, 1)
			rows = append(rows,
				&s3Row{name: fmt.Sprintf("PUT %s, %d clients", load.name, clients), unit: unit, measure: func(e *s3Endpoint, ctx context.Context) (float64, error) {
					perSecond, err := e.puts(ctx, clients, load.puts, body)
					return perSecond * factor, err
				}},
				&s3Row{name: fmt.Sprintf("GET %s, %d clients", load.name, clients), unit: unit, measure: func(e *s3Endpoint, ctx context.Context) (float64, error) {
					perSecond, err := e.gets(ctx, clients, load.gets, body)
					return perSecond * factor, err
				}},
			)
		}
	}
	return rows
}

// s3Large are the rows of the large object.
func s3Large() []*s3Row {
	return []*s3Row{
		{name: "multipart upload of 1 GiB", unit: "MiB/s", measure: (*s3Endpoint).multipart},
		{name: "memory at the peak, multipart upload of 1 GiB", unit: "MB", measure: (*s3Endpoint).peak, smaller: true, limit: 64},
		{name: "PUT of 1 GiB", unit: "MiB/s", measure: (*s3Endpoint).putLarge},
		{name: "memory at the peak, PUT of 1 GiB", unit: "MB", measure: (*s3Endpoint).peak, smaller: true, limit: 64},
	}
}

// measureS3 fills in the rows: each is measured of one endpoint and then of the
// other, in the next round the other way round.
func (b *bench) measureS3(ctx context.Context, rounds int, rows []*s3Row, peer, ours *s3Endpoint) error {
	turns := []*s3Endpoint{peer, ours}
	for round := range rounds {
		for _, row := range rows {
			if row.values == nil {
				row.values = map[string][]float64{}
			}
			for _, e := range turns {
				value, err := row.measure(e, ctx)
				if err != nil {
					return fmt.Errorf("the %s endpoint: %s: %w", e.name, row.name, err)
				}
				row.values[e.name] = append(row.values[e.name], value)
			}
			b.say("round %d of %d: %-48s %s %8s  %s %8s  %s", round+1, rounds, row.name,
				peer.name, number(row.values[peer.name][round]), ours.name, number(row.values[ours.name][round]), row.unit)
		}
		slices.Reverse(turns)
	}
	return nil
}

func s3Results(rows []*s3Row, peer, ours *s3Endpoint) []Result {
	var results []Result
	for _, row := range rows {
		theirs, values := row.values[peer.name], row.values[ours.name]
		if len(values) == 0 || len(values) != len(theirs) {
			continue
		}
		compared := result(ours.name+": "+row.name, row.unit, values).against(peer.name, values, theirs)
		if row.smaller {
			compared = compared.below(1)
		} else {
			compared = compared.atLeast(1)
		}
		results = append(results, result(peer.name+": "+row.name, row.unit, theirs), compared)
		if row.limit > 0 {
			results = append(results, result(ours.name+": "+row.name+", by itself", row.unit, values).below(row.limit))
		}
	}
	return results
}

package real

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/drydock/drydock/host/filelock"
	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/agents"
)

const (
	agentWait = time.Minute     // for an agent to be ready
	jobsWait  = 5 * time.Minute // for all jobs to be healthy
)

// ErrStopped is returned by Up when its context ends.
var ErrStopped = errors.New("stopped before the real stack was up; nothing of it is left running")

// Up starts the stack of a folder and returns when all jobs are healthy. What a
// stack that was killed has left is ended first; its data is kept. When it fails
// or the context ends, all that it has started is stopped again.
//
// A stack that runs there already is a *RunningError, a taken port a *PortTakenError.
func Up(ctx context.Context, o Options) (*Stack, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the stack's folder: %w", err)
	}
	release, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := endOld(ctx, dir, o); err != nil {
		return nil, err
	}
	s := &Stack{Dir: dir, Path: o.Path}
	if s.Jobs, err = jobs.Names(o.Jobs); err != nil {
		return nil, err
	}
	var locks []*filelock.Lock
	if s.Ports, locks, err = choosePorts(o.Ports, s.Jobs); err == nil {
		s.Nomad, s.Consul, s.DNS = "http://"+s.Address(PortNomad), "http://"+s.Address(PortConsul), s.Address(PortDNS)
		err = s.up(ctx, o)
	}
	for _, lock := range locks {
		lock.Release()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// lock keeps others from starting and stopping the stack at the same time.
func lock(dir string) (release func(), err error) {
	held, err := filelock.Take(filepath.Join(dir, lockFile))
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("another program is starting or stopping the real stack in %s: wait for it", dir)
	}
	if err != nil {
		return nil, err
	}
	return held.Release, nil
}

// endOld ends what a stack has left that was killed, and refuses one that runs.
func endOld(ctx context.Context, dir string, o Options) error {
	old, err := Open(dir)
	var none *NotUpError
	if errors.As(err, &none) {
		return nil
	}
	if err != nil {
		return err
	}
	if old.Running() {
		return &RunningError{Stack: old}
	}
	fmt.Fprintf(o.Out, "A stack in %s was killed: ending what it has left; its data is kept.\n", dir)
	return old.down(ctx)
}

// up checks, starts and deploys.
func (s *Stack) up(ctx context.Context, o Options) error {
	list, err := s.readJobs(o)
	if err != nil {
		return err
	}
	needs := needsOf(list, runtime.NumCPU())
	if err := check(ctx, o, s.Dir, needs); err != nil {
		return err
	}
	if err := s.configure(o.Agent, needs); err != nil {
		return err
	}
	if err := s.write(); err != nil { // before anything runs, so that it can be found
		return err
	}
	if err := s.start(ctx, o, list); err != nil {
		fmt.Fprintln(o.Out, "Stopping what was started.")
		notDown := s.down(context.WithoutCancel(ctx))
		if ctx.Err() != nil && notDown == nil {
			return ErrStopped
		}
		return errors.Join(err, notDown)
	}
	return nil
}

// start starts the agents one after the other, as Nomad looks for Consul again
// only after a while, and then the jobs.
func (s *Stack) start(ctx context.Context, o Options, list []jobs.Job) error {
	for _, a := range []struct {
		agents.Agent
		ready func(context.Context) error
		at    string
	}{
		{s.consulAgent(), s.consulReady, s.Consul},
		{s.nomadAgent(), s.nomadLeads, s.Nomad},
	} {
		began := time.Now()
		if err := a.Start(); err != nil {
			return err
		}
		if err := waitFor(ctx, a.Agent, a.ready); err != nil {
			return err
		}
		fmt.Fprintf(o.Out, "  %-12s at %s after %s\n", a.Name, a.at, seconds(time.Since(began)))
	}
	began := time.Now()
	if err := s.nodeUp(ctx, o.Driver); err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "  %-12s takes jobs after %s\n", "nomad", seconds(time.Since(began)))
	ctx, cancel := context.WithTimeout(ctx, jobsWait)
	defer cancel()
	return s.deploy(ctx, o, list)
}

func waitFor(ctx context.Context, a agents.Agent, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, agentWait)
	defer cancel()
	return a.WaitReady(ctx, ready)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// Package cluster runs a cluster of three zones on one Linux machine: each zone
// is a network namespace with an address of its own, a Consul server, a Nomad
// server and a Nomad client, and can be stopped as a whole, as zones of a cloud
// fail, and started again. Package main's drydock cluster and the end-to-end
// suite call it. It needs root, and the programs consul, nomad and ip.
package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/drydock/drydock/operate/deploy"
)

// Options say what cluster to make.
type Options struct {
	Jobs     fs.FS              // the job files to deploy; none for agents alone
	Path     string             // where agents and tasks find programs, as $PATH
	Out      io.Writer          // is told what is done
	Progress func(deploy.Event) // if set, is told how far the jobs are
}

// Stack is a cluster that was made.
type Stack struct {
	Machine string `json:"machine"` // the address that the machine has for the zones
	Zones   []Zone `json:"zones"`
	Path    string `json:"path"`

	site site
}

var (
	// ErrNone is there being no cluster.
	ErrNone = errors.New("there is no cluster: drydock cluster up makes one")
	errIsUp = errors.New("a cluster is up already: drydock cluster status tells of it, drydock cluster down removes it")
)

const (
	cleanWait = time.Minute      // to remove a cluster, also one that was interrupted
	agentWait = time.Minute      // for the agents of a kind to be ready
	askWait   = 10 * time.Second // for an answer of an agent
)

// Up makes a cluster, deploys the jobs and returns when all are healthy. What it
// made is removed again when it fails or the context ends.
func Up(ctx context.Context, o Options) (*Stack, error) { return up(ctx, machine, o) }

func up(ctx context.Context, at site, o Options) (stack *Stack, err error) {
	if err := check(); err != nil {
		return nil, err
	}
	if err := checkPrograms(o); err != nil {
		return nil, err
	}
	release, err := at.lock()
	if err != nil {
		return nil, err
	}
	defer release()
	if err := at.makeWay(ctx, o.Out); err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	defer func() {
		if err != nil {
			stack, err = nil, at.undo(ctx, err)
		}
	}()
	stack, err = at.build(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := stack.startAgents(ctx, stack.Zones); err != nil {
		return nil, err
	}
	if o.Jobs != nil {
		fmt.Fprintf(o.Out, "The agents of %d zones are ready; deploying the jobs.\n", len(stack.Zones))
		if err := stack.deploy(ctx, o); err != nil {
			return nil, err
		}
	}
	return stack, stack.save()
}

// undo removes what was made when making the rest failed.
func (s site) undo(ctx context.Context, failed error) error {
	failed = cmp.Or(ctx.Err(), failed) // programs that are interrupted with this one have errors of their own
	if err := s.clean(ctx); err != nil {
		return errors.Join(failed, err)
	}
	return failed
}

// makeWay removes what is left of a cluster that was not made to its end, or of
// one that the machine was switched off under.
func (s site) makeWay(ctx context.Context, out io.Writer) error {
	stack, err := open(s)
	if err == nil {
		for _, z := range stack.Zones {
			switch runs, err := inhabited(s.namespace(z.Name)); {
			case err != nil:
				return err
			case runs:
				return errIsUp
			}
		}
	}
	left, err := s.leftovers(ctx)
	if err != nil || !left {
		return err
	}
	fmt.Fprintln(out, "Removing what is left of a cluster that was not removed…")
	return s.clean(ctx)
}

// build makes everything that is there before the first agent starts.
func (s site) build(ctx context.Context, o Options) (*Stack, error) {
	routes, err := machineRoutes(ctx)
	if err != nil {
		return nil, err
	}
	network, err := chooseNetwork(routes)
	if err != nil {
		return nil, err
	}
	stack := newStack(s, network, o.Path)
	if err := s.makeNetwork(ctx, network); err != nil {
		return nil, err
	}
	for _, z := range stack.Zones {
		if err := errors.Join(s.makeResolver(z), stack.writeConfigs(z)); err != nil {
			return nil, err
		}
	}
	return stack, nil
}

func newStack(at site, network netip.Prefix, path string) *Stack {
	stack := &Stack{Machine: addressIn(network, machineHost).String(), Path: path, site: at}
	for i, name := range zoneNames {
		stack.Zones = append(stack.Zones, newZone(name, addressIn(network, firstZoneHost+byte(i)).String()))
	}
	return stack
}

// Open finds the cluster of this machine; ErrNone when there is none.
func Open() (*Stack, error) {
	if err := check(); err != nil {
		return nil, err
	}
	return open(machine)
}

func open(at site) (*Stack, error) {
	text, err := os.ReadFile(at.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	stack := &Stack{site: at}
	if err == nil {
		err = json.Unmarshal(text, stack)
	}
	if err != nil {
		return nil, fmt.Errorf("open the cluster: %w", err)
	}
	return stack, nil
}

// stateFile tells of a cluster that was made to its end.
func (s site) stateFile() string { return filepath.Join(s.dir, "cluster.json") }

func (s *Stack) save() error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.WriteFile(s.site.stateFile(), append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep what the cluster is: %w", err)
	}
	return nil
}

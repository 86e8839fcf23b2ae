package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/cluster"
	"github.com/drydock/drydock/operate/real"
)

// running names a stack that was there before, of which only the addresses are known.
const running = "running"

// startWithin bounds the start of a stack, on a busy machine.
const startWithin = 10 * time.Minute

// platform is what a stack tells and can do that its APIs cannot.
type platform struct {
	name            string
	nomads, consuls []string // URLs; one that answers is asked
	// stopZone and startZone take an availability zone away and bring it back.
	// Nil where there are none, which inapplicable says for the table.
	stopZone, startZone func(ctx context.Context, zone string) error
	inapplicable        string
	// withoutBus calls while the event bus is away. Nil where the bus is a job.
	withoutBus func(func()) error
}

// suite is what the cases see of a stack.
type suite struct {
	platform
	nomad  *nomad.Client
	consul *consul.Client
	web    web
}

// run is one case.
type run struct {
	*testing.T
	*suite
}

// open starts the stack that the flags name; it ends with the test.
func open(t *testing.T) *suite {
	t.Helper()
	s := &suite{}
	switch {
	case *nomadFlag != "" || *consulFlag != "":
		require.False(t, *nomadFlag == "" || *consulFlag == "", "-nomad and -consul are given together")
		s.platform = platform{name: running, nomads: []string{*nomadFlag}, consuls: []string{*consulFlag}, inapplicable: "zones are not known"}
	case *stackFlag == "emulator":
		s.platform = openEmulator(t)
	case *stackFlag == "real":
		s.platform = openReal(t)
	case *stackFlag == "cluster":
		s.platform = openCluster(t)
	default:
		require.FailNow(t, "there is no such stack", "-stack %s is not emulator, real or cluster", *stackFlag)
	}
	var err error
	toNomad, toConsul := anyOf(t, s.nomads), anyOf(t, s.consuls)
	s.nomad, err = nomad.NewClient(&nomad.Config{Address: s.nomads[0], HttpClient: toNomad})
	require.NoError(t, err)
	t.Cleanup(s.nomad.Close)
	s.consul, err = consul.NewClient(&consul.Config{Address: s.consuls[0], HttpClient: toConsul})
	require.NoError(t, err)
	s.web = newWeb(s.consul)
	t.Cleanup(s.web.client.CloseIdleConnections)
	return s
}

// openEmulator starts the whole stack in this process.
func openEmulator(t *testing.T) platform {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	stack, err := emulator.Start(ctx, emulator.Options{Jobs: jobs.Files, Path: []string{programs(t)}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	return platform{
		name: "emulator", nomads: []string{stack.NomadURL()}, consuls: []string{stack.Consul.URL("dc1")},
		stopZone:  func(_ context.Context, zone string) error { return stack.Nomad.StopZone(zone) },
		startZone: stack.Nomad.StartZone, withoutBus: stack.RestartNATS,
	}
}

// openReal starts the real programs on this machine, which is one zone.
func openReal(t *testing.T) platform {
	t.Helper()
	agent, err := os.ReadFile("../nomad.hcl")
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "drydock-real-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755)) // for the users that tasks run as
	t.Cleanup(func() {
		require.NoError(t, real.Purge(dir)) // not of a stack that runs
		require.NoError(t, os.RemoveAll(dir))
	})
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	stack, err := real.Up(ctx, real.Options{
		Dir: dir, Jobs: jobs.Files, Agent: agent, Driver: "raw_exec", Path: realPath(t), Out: os.Stdout,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startWithin)
		defer cancel()
		require.NoError(t, stack.Down(ctx))
	})
	return platform{name: "real", nomads: []string{stack.Nomad}, consuls: []string{stack.Consul}, inapplicable: "one zone"}
}

// openCluster makes a cluster of three zones on this machine.
func openCluster(t *testing.T) platform {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	stack, err := cluster.Up(ctx, cluster.Options{Jobs: jobs.Files, Path: realPath(t), Out: os.Stdout})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Down(context.Background())) })
	p := platform{name: "cluster", stopZone: stack.StopZone, startZone: stack.StartZone}
	for _, zone := range stack.Zones {
		p.nomads, p.consuls = append(p.nomads, zone.Nomad), append(p.consuls, zone.Consul)
	}
	return p
}

// realPath is where agents of real programs and their tasks find programs.
func realPath(t *testing.T) string {
	t.Helper()
	return programs(t) + string(os.PathListSeparator) + os.Getenv("PATH")
}

// programsFolder holds what programs has built; TestMain removes it.
var programsFolder string

var build = sync.OnceValue(func() (err error) {
	if programsFolder, err = os.MkdirTemp("", "drydock-programs-"); err != nil {
		return err
	}
	if err := os.Chmod(programsFolder, 0o755); err != nil { // for the users that tasks run as
		return err
	}
	for name, folder := range map[string]string{"drydock": "..", "drydock-images": "../workers/images"} {
		output, err := exec.Command("go", "build", "-o", filepath.Join(programsFolder, name), folder).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build %s: %w\n%s", folder, err, bytes.TrimSpace(output))
		}
	}
	return nil
})

// programs returns a folder with the programs drydock and drydock-images.
func programs(t *testing.T) string {
	t.Helper()
	require.NoError(t, build())
	return programsFolder
}

package real

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/operate/agents"
)

var oneJob = fstest.MapFS{"web.nomad.hcl": {Data: []byte(`
job "web" {
  group "web" {
    task "web" {
      driver = "raw_exec"
      config { command = "/bin/true" }
    }
  }
}`)}}

// fakeOptions are those of a stack whose agents are shell scripts: Nomad only has a version.
func fakeOptions(t *testing.T, consul string) Options {
	t.Helper()
	path := programs(t, map[string]string{
		"consul": `[ "$1" = version ] && echo "Consul v1.22.3" && exit; ` + consul,
		"nomad":  `[ "$1" = version ] && echo "Nomad v1.11.3"`,
	})
	return Options{Dir: t.TempDir(), Jobs: oneJob, Driver: "raw_exec", Path: path + ":" + os.Getenv("PATH"), Out: io.Discard}
}

func assertNothingLeft(t *testing.T, dir string) {
	t.Helper()
	left, err := agents.Left(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
	_, err = Open(dir)
	var none *NotUpError
	assert.ErrorAs(t, err, &none)
}

func TestWhatAnAgentFailsOfIsToldAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	o := fakeOptions(t, "echo the disk is full; exit 1")
	_, err := Up(context.Background(), o)
	require.ErrorContains(t, err, "wait for consul: it has ended; the end of "+filepath.Join(o.Dir, "logs", "consul.log")+":\n  the disk is full")
	assertNothingLeft(t, o.Dir)
}

func TestAStartThatIsBrokenOffLeavesNothing(t *testing.T) {
	t.Parallel()
	o := fakeOptions(t, `sleep 1000 & echo up > "$0.up"; wait`)
	ctx, cancel := context.WithCancel(context.Background())
	var broken sync.WaitGroup
	defer broken.Wait()
	broken.Go(func() {
		defer cancel()
		up := filepath.Join(filepath.SplitList(o.Path)[0], "consul.up")
		assert.Eventually(t, func() bool { _, err := os.Stat(up); return err == nil }, time.Minute, time.Millisecond)
	})
	_, err := Up(ctx, o)
	require.ErrorIs(t, err, ErrStopped)
	assertNothingLeft(t, o.Dir)
}

func TestWhatAKilledStackHasLeftIsEndedBeforeTheNext(t *testing.T) {
	t.Parallel()
	o := fakeOptions(t, "echo not now; exit 1")
	old := &Stack{Dir: o.Dir, Path: o.Path}
	require.NoError(t, old.write())
	task := agents.Agent{Name: "task", Dir: t.TempDir(), Command: []string{"sleep", "1000"}, Environment: agents.Environment(o.Dir, o.Path)}
	require.NoError(t, task.Start())
	require.False(t, old.Running())
	_, err := old.Status(context.Background())
	require.ErrorContains(t, err, "was killed")

	_, err = Up(context.Background(), o)
	require.ErrorContains(t, err, "not now")
	assert.Zero(t, task.PID())
	assertNothingLeft(t, o.Dir)
}

func TestContainersOfTheStackAloneAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := programs(t, map[string]string{"docker": `case $1 in
		ps) echo aaa bbb ;;
		inspect) printf 'aaa\t/etc/hosts\t` + dir + `/nomad/alloc/1/web/secrets\nbbb\t` + dir + `-other/nomad\n' ;;
		rm) echo "$*" >>"$0.removed" ;;
	esac`})
	require.NoError(t, (&Stack{Dir: dir, Path: path}).Down(context.Background()))
	removed, err := os.ReadFile(filepath.Join(path, "docker.removed"))
	require.NoError(t, err)
	assert.Equal(t, "rm --force aaa\n", string(removed))
}

func TestOneAtATimeStartsOrStopsAStack(t *testing.T) {
	t.Parallel()
	o := fakeOptions(t, "")
	release, err := lock(o.Dir)
	require.NoError(t, err)
	defer release()
	_, err = Up(context.Background(), o)
	require.ErrorContains(t, err, "another program is starting or stopping the real stack in "+o.Dir)
	require.ErrorContains(t, (&Stack{Dir: o.Dir}).Down(context.Background()), "another program is starting or stopping")
}

func TestPurgeRemovesTheStacksOwnAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &Stack{Dir: dir}
	require.NoError(t, s.write())
	require.ErrorContains(t, Purge(dir), "it runs in "+dir)
	require.NoError(t, os.Remove(s.file(stackFile)))
	require.NoError(t, os.MkdirAll(s.file(volumesDir, "nats"), 0o755))
	require.NoError(t, os.WriteFile(s.file("notes"), nil, 0o600))
	require.NoError(t, Purge(dir))
	assert.NoDirExists(t, s.file(volumesDir))
	assert.FileExists(t, s.file("notes"))
	require.NoError(t, os.Remove(s.file("notes")))
	require.NoError(t, Purge(dir))
	assert.NoDirExists(t, dir)
}

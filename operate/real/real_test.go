package real_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/agents"
	"github.com/drydock/drydock/operate/real"
)

// startWithin bounds the start of a stack, on a busy machine.
const startWithin = 4 * time.Minute

// web is a role that needs the event bus, and has a secret.
const web = `
job "web" {
  group "web" {
    update {
      min_healthy_time = "0s"
    }
    task "web" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "test -n \"$BUS\" && echo $$ >\"$NOMAD_ALLOC_DIR/pid\" && exec sleep 1000"]
      }
      template {
        destination = "secrets/web.env"
        env         = true
        data        = "BUS={{ with nomadVar \"nomad/jobs/web\" }}{{ .market }}{{ end }}"
      }
    }
  }
}
`

// market is a part that is there at once, and says at its end that it ends in
// order, in a file that a variable names.
const market = `
job "market" {
  meta { part = "market" }
  group "market" {
    update {
      min_healthy_time = "0s"
    }
    network {
      port "http" { static = var.http_port }
    }
    service {
      name = "market"
      port = "http"
    }
    task "market" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "trap 'echo ended >${var.ended}; exit 0' INT TERM; while :; do sleep 0.1; done"]
      }
    }
  }
}
variable "http_port" { default = 8084 }
variable "ended" {}
`

// realPrograms is a PATH on which the real agents are.
func realPrograms(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"consul", "nomad"} {
		find := exec.Command("../../scripts/real.sh", program)
		var said bytes.Buffer
		find.Stderr = &said
		path, err := find.Output()
		require.NoError(t, err, "scripts/real.sh %s: %s", program, &said)
		require.NoError(t, os.Symlink(strings.TrimSpace(string(path)), filepath.Join(dir, program)))
	}
	return dir + string(filepath.ListSeparator) + os.Getenv("PATH")
}

// run runs an official program against the stack.
func run(t *testing.T, s *real.Stack, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(filepath.SplitList(s.Path)[0], program), args...)
	cmd.Env = append(os.Environ(), "NOMAD_ADDR="+s.Nomad, "CONSUL_HTTP_ADDR="+s.Consul)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %s: %s", program, args, output)
	return string(output)
}

func up(t *testing.T, o real.Options) (*real.Stack, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	return real.Up(ctx, o)
}

func assertNothingRuns(t *testing.T, s *real.Stack) {
	t.Helper()
	left, err := agents.Left(s.Dir)
	require.NoError(t, err)
	assert.Empty(t, left)
	if mounts, err := os.ReadFile("/proc/self/mounts"); err == nil { // not on every system
		assert.NotContains(t, string(mounts), s.Dir)
	}
	_, err = real.Open(s.Dir)
	var none *real.NotUpError
	assert.ErrorAs(t, err, &none)
}

func TestTheRealStack(t *testing.T) {
	t.Parallel()
	agent, err := os.ReadFile("../../nomad.hcl")
	require.NoError(t, err)
	var said bytes.Buffer
	files := fstest.MapFS{"web" + jobs.Extension: {Data: []byte(web)}, "market" + jobs.Extension: {Data: []byte(market)}}
	ended := filepath.Join(t.TempDir(), "ended")
	o := real.Options{
		Dir: t.TempDir(), Jobs: files, Agent: agent, Driver: "raw_exec", Variables: map[string]string{"ended": ended}, Path: realPrograms(t), Out: &said,
	}
	stack, err := up(t, o)
	require.NoError(t, err, &said)
	t.Cleanup(func() { require.NoError(t, stack.Down(context.Background())) })
	assert.Regexp(t, `(?s)consul +at http.*nomad +at http.*market +healthy.*web +healthy`, said.String())

	// The official programs find it all.
	assert.Regexp(t, `(?m)^web +service .*running`, run(t, stack, "nomad", "job", "status"))
	assert.Contains(t, run(t, stack, "consul", "catalog", "services"), "market")
	run(t, stack, "consul", "kv", "put", "kept", "yes")
	assert.Contains(t, run(t, stack, "nomad", "config", "validate", "../../nomad.hcl"), "Configuration is valid!")
	run(t, stack, "nomad", "fmt", "-check", "../../nomad.hcl")

	status, err := stack.Status(context.Background())
	require.NoError(t, err)
	assert.Equal(t, []real.JobStatus{
		{Name: "market", Part: "market", Status: "running", Wanted: 1, Running: 1, Healthy: 1},
		{Name: "web", Status: "running", Wanted: 1, Running: 1, Healthy: 1},
	}, status.Jobs)

	// There is one already.
	_, err = up(t, o)
	var running *real.RunningError
	require.ErrorAs(t, err, &running)
	assert.ErrorContains(t, err, "Nomad at "+stack.Nomad+", Consul at "+stack.Consul)
	other := o
	other.Dir, other.Ports = t.TempDir(), map[string]int{real.PortNomad: stack.Ports[real.PortNomad]}
	_, err = up(t, other)
	var taken *real.PortTakenError
	require.ErrorAs(t, err, &taken)
	assert.Equal(t, real.PortNomad, taken.Name)

	// Another program stops it: the tasks end in order, and nothing is left.
	found, err := real.Open(o.Dir)
	require.NoError(t, err)
	require.NoError(t, found.Down(context.Background()))
	assert.FileExists(t, ended, "the part's task was told to end")
	assertNothingRuns(t, stack)

	// What was there is there again, and killed agents leave nothing for long.
	stack, err = up(t, o)
	require.NoError(t, err, &said)
	assert.Equal(t, "yes\n", run(t, stack, "consul", "kv", "get", "kept"))
	kill(t, stack)
	_, err = stack.Status(context.Background())
	require.ErrorContains(t, err, "was killed")
	left, err := agents.Left(o.Dir)
	require.NoError(t, err)
	assert.NotEmpty(t, left, "tasks outlive Nomad")
	require.NoError(t, stack.Down(context.Background()))
	assertNothingRuns(t, stack)
	require.NoError(t, real.Purge(o.Dir))
	assert.NoDirExists(t, o.Dir)
}

// kill ends the agents as the loss of power would.
func kill(t *testing.T, s *real.Stack) {
	t.Helper()
	for _, name := range []string{"consul", "nomad"} {
		a := agents.Agent{Name: name, Dir: filepath.Join(s.Dir, "logs")}
		require.NoError(t, syscall.Kill(a.PID(), syscall.SIGKILL))
		require.Eventually(t, func() bool { return a.PID() == 0 }, time.Minute, time.Millisecond)
	}
}

func TestAJobThatFailsIsToldAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	agent, err := os.ReadFile("../../nomad.hcl")
	require.NoError(t, err)
	failing := `
job "failing" {
  group "failing" {
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }
    task "failing" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "echo no such table >&2; exit 3"]
      }
    }
  }
}`
	files := fstest.MapFS{"failing" + jobs.Extension: {Data: []byte(failing)}}
	o := real.Options{Dir: t.TempDir(), Jobs: files, Agent: agent, Driver: "raw_exec", Path: realPrograms(t), Out: io.Discard}
	_, err = up(t, o)
	require.ErrorContains(t, err, "no such table")
	assertNothingRuns(t, &real.Stack{Dir: o.Dir})
}

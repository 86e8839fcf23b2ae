package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/consul"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// command is a line for the shell that somebody types, and how its effect on
// the real program is compared with that on the emulator. In its folder are the
// files of testdata/parity.
type command struct {
	line       string
	eventually bool // it reads what takes effect a little later: it is repeated until both agree
	sorted     bool // its lines come in no particular order
	numbers    bool // its numbers differ from run to run
}

// TestParity runs the official program's commands, one after another, against
// the real Consul and the emulator: they end and print alike.
func TestParity(t *testing.T) {
	t.Parallel()
	program := realConsul(t)
	real := newShell(t, program, startReal(t, program), "")
	emulated := newShell(t, program, startEmulated(t, consul.ACL{}), "")
	compareCommands(t, real, emulated, commands)
}

// TestParityOfAccessControl does it where requests need tokens.
func TestParityOfAccessControl(t *testing.T) {
	t.Parallel()
	program := realConsul(t)
	real := newShell(t, program, startReal(t, program, `acl { enabled = true default_policy = "deny" }`), bootstrapToken)
	emulated := newShell(t, program, startEmulated(t, consul.ACL{Enabled: true}), bootstrapToken)
	compareCommands(t, real, emulated, aclCommands)
}

// effect is what a command did.
type effect struct {
	exit   int
	output string // of both kinds
}

func compareCommands(t *testing.T, real, emulated *shell, commands []command) {
	for _, c := range commands {
		t.Run(c.line, func(t *testing.T) {
			began := time.Now()
			for {
				want, got := both(t, real, emulated, c)
				if c.eventually && want != got && time.Since(began) < agreeWait {
					continue
				}
				t.Logf("exit %d\n%s", want.exit, want.output)
				assert.Equal(t, want.exit, got.exit, "how it exits")
				assert.Equal(t, want.output, got.output)
				return
			}
		})
	}
}

// agreeWait is how long a command that is repeated may take until both agree:
// the real agent tells its coordinates only after a while.
const agreeWait = 40 * time.Second

// both runs a command in both shells at once.
func both(t *testing.T, real, emulated *shell, c command) (want, got effect) {
	var running sync.WaitGroup
	var realErr, emulatedErr error
	running.Go(func() { want, realErr = real.run(t.Context(), c) })
	running.Go(func() { got, emulatedErr = emulated.run(t.Context(), c) })
	running.Wait()
	require.NoError(t, errors.Join(realErr, emulatedErr))
	return want, got
}

// realConsul is the path of the real program.
func realConsul(t *testing.T) string {
	t.Helper()
	var problems strings.Builder
	find := exec.Command("../../../scripts/real.sh", "consul")
	find.Stderr = &problems
	program, err := find.Output()
	require.NoError(t, err, "scripts/real.sh consul: %s", &problems)
	return strings.TrimSpace(string(program))
}

// shell runs commands for one of the two, in a folder of its own.
type shell struct {
	dir         string
	environment []string
}

func newShell(t *testing.T, program, url, token string) *shell {
	t.Helper()
	dir, bin := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(program, filepath.Join(bin, "consul")))
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/parity")))
	environment := []string{"CONSUL_HTTP_ADDR=" + url, "CONSUL_HTTP_TOKEN=" + token, "HOME=" + dir}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case name == "PATH":
			environment = append(environment, fmt.Sprintf("PATH=%s%c%s", bin, filepath.ListSeparator, value))
		case name != "HOME" && !strings.HasPrefix(name, "CONSUL_"):
			environment = append(environment, entry)
		}
	}
	return &shell{dir, environment}
}

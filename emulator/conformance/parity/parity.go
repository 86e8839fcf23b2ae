// Package parity runs the commands of an official program against the real
// program and an emulator, one after another: they end and print alike. Tests
// of the emulators are made of it.
package parity

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Command is a line for the shell that somebody types, and how its effect on
// the real program is compared with that on the emulator. One that has waited
// in vain for something ends with 124, as timeout(1) does: that is an error
// though both agree.
type Command struct {
	Line       string
	Eventually bool // it reads what takes effect a little later: it is repeated until both agree
	Sorted     bool // its lines come in no particular order
	Numbers    bool // its numbers differ from run to run
}

// Comparison is of commands on two programs.
type Comparison struct {
	Real, Emulated *Shell

	// Masks hide what differs between two programs that do the same, besides
	// what differs between any.
	Masks []Mask

	// Differs are the lines of commands that are known to differ, each with the
	// reason. One of them that does not differ is an error.
	Differs map[string]string
}

// timedOut is how a command ends that has waited in vain.
const timedOut = 124

// agreeWait is how long a command that is repeated may take until both agree.
const agreeWait = 40 * time.Second

// Run runs the commands, which build on each other, from the first to the last,
// each as a test of its own.
func (c Comparison) Run(t *testing.T, commands []Command) {
	t.Helper()
	for _, command := range commands {
		t.Run(command.Line, func(t *testing.T) {
			want, got := c.agreed(t, command)
			t.Logf("exit %d\n%s", want.exit, want.output)
			assert.NotEqual(t, timedOut, want.exit, "what the real program was to do did not come")
			if reason, differs := c.Differs[command.Line]; differs {
				assert.NotEqual(t, want, got, "it is listed to differ (%s), and does not", reason)
				return
			}
			assert.Equal(t, want.exit, got.exit, "how it exits")
			assert.Equal(t, want.output, got.output)
		})
	}
}

// agreed runs a command in both shells; one that may take effect later until
// both agree.
func (c Comparison) agreed(t *testing.T, command Command) (want, got effect) {
	for began := time.Now(); ; {
		want, got = c.both(t, command)
		_, differs := c.Differs[command.Line]
		if want == got || differs || !command.Eventually || time.Since(began) > agreeWait {
			return want, got
		}
	}
}

// both runs a command in both shells at once.
func (c Comparison) both(t *testing.T, command Command) (want, got effect) {
	var running sync.WaitGroup
	var realErr, emulatedErr error
	running.Go(func() { want, realErr = c.Real.run(t.Context(), command) })
	running.Go(func() { got, emulatedErr = c.Emulated.run(t.Context(), command) })
	running.Wait()
	require.NoError(t, errors.Join(realErr, emulatedErr))
	want.output = masked(want.output, command, c.Masks)
	got.output = masked(got.output, command, c.Masks)
	return want, got
}

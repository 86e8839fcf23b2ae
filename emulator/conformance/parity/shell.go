package parity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Shell runs commands for one of two programs, in a folder of its own. It is
// not safe for concurrent use.
type Shell struct {
	dir         string
	environment []string
	wait        time.Duration
}

// Settings are those of a shell.
type Settings struct {
	Program string   // the path of the official program, found by its name without the version
	Name    string   // that name: consul, nomad
	Files   string   // the folder whose files are copied into the shell's; those in its folder bin are on the PATH
	Set     []string // variables of the environment, as NAME=value

	// Wait bounds one command: those that never end by themselves are not
	// compared.
	Wait time.Duration
}

// NewShell makes a shell that sees none of the variables of this process that
// begin with the name of the program.
func NewShell(t *testing.T, s Settings) *Shell {
	t.Helper()
	dir, bin := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(s.Program, filepath.Join(bin, s.Name)))
	require.NoError(t, os.CopyFS(dir, os.DirFS(s.Files)))
	path := strings.Join([]string{bin, filepath.Join(dir, "bin"), os.Getenv("PATH")}, string(filepath.ListSeparator))
	environment := append(slices.Clone(s.Set), "HOME="+dir, "PATH="+path)
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if name != "HOME" && name != "PATH" && !strings.HasPrefix(name, strings.ToUpper(s.Name)+"_") {
			environment = append(environment, entry)
		}
	}
	return &Shell{dir, environment, s.Wait}
}

// effect is what a command did.
type effect struct {
	exit   int
	output string // of both kinds
}

// run runs a command and returns its effect.
func (s *Shell) run(ctx context.Context, c Command) (effect, error) {
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", c.Line)
	cmd.Dir, cmd.Env, cmd.WaitDelay = s.dir, s.environment, time.Second
	output, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return effect{}, fmt.Errorf("run %q: %w", c.Line, err)
	}
	return effect{cmd.ProcessState.ExitCode(), string(output)}, nil
}

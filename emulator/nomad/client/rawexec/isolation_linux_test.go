package rawexec

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// isolating is the driver exec where it isolates: it needs root.
func isolating(t *testing.T) *Driver {
	t.Helper()
	d := NewExec(starter(t))
	if !d.isolated {
		t.Skip(d.shared)
	}
	return d
}

func TestIsolatedTaskSeesItsOwnFiles(t *testing.T) {
	t.Parallel()
	d := isolating(t)
	require.True(t, d.Capabilities().Isolated)
	volume, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("secret"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(volume, "kept"), []byte("of the volume "), 0o644))
	task, out := shell(t, `pwd; id -un; echo $HOME $PATH; cat /local/own /srv/v/kept
		echo shared > /alloc/data/x; echo no > /srv/v/new; echo no > /usr/new; cat `+outside+`
		ls /dev | tr '\n' ' '; echo gone > /dev/null && echo > /proc/self/oom_score_adj; exit 0`)
	task.Mounts = []driver.Mount{{Source: volume, Destination: "/srv/v", ReadOnly: true}}
	require.NoError(t, os.WriteFile(filepath.Join(task.Dir.Local(), "own"), []byte("of the task "), 0o644))
	require.True(t, ended(t, begin(t, d, task)).Successful())
	require.Equal(t, "/\nnobody\n/nonexistent "+isolatedPath+"\nof the task of the volume fd full null ptmx pts random stderr stdin stdout tty urandom zero ", out.String())
	text, err := os.ReadFile(filepath.Join(task.Dir.Shared, "data", "x"))
	require.NoError(t, err)
	require.Equal(t, "shared\n", string(text))
	require.NoFileExists(t, filepath.Join(volume, "new"))
	require.NoFileExists(t, "/usr/new")
	entries, err := os.ReadDir(filepath.Join(task.Dir.Root, "usr"))
	require.NoError(t, err)
	require.Empty(t, entries, "nobody else sees what is mounted")
}

func TestCommandWithinAnIsolatedTask(t *testing.T) {
	t.Parallel()
	d := isolating(t)
	task, _ := shell(t, "exec sleep 1000")
	program := filepath.Join(task.Dir.Local(), "own.sh")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\necho $0 $(ls /usr | grep -c bin) $(id -un)\n"), 0o755))
	h := begin(t, d, task)
	out := new(output)
	code, err := h.Exec(t.Context(), driver.Command{Args: []string{"own.sh"}, Stdout: out, Stderr: io.Discard})
	require.NoError(t, err)
	require.Zero(t, code)
	require.Regexp(t, "^/local/own.sh [1-9] nobody\n$", out.String())
	_, err = h.Exec(t.Context(), driver.Command{Args: []string{program}, Stdout: out, Stderr: io.Discard})
	require.ErrorContains(t, err, "executable file not found", "what is outside is not there")
}

func TestIsolationIsOfOneTaskAlone(t *testing.T) {
	t.Parallel()
	d := isolating(t)
	raw := NewRaw(d.starter)
	namespace := "readlink /proc/self/ns/mnt"
	isolated, theirs := shell(t, namespace)
	require.True(t, ended(t, begin(t, d, isolated)).Successful())
	plain, ours := shell(t, namespace)
	require.True(t, ended(t, begin(t, raw, plain)).Successful())
	here, err := os.Readlink("/proc/self/ns/mnt")
	require.NoError(t, err)
	require.Equal(t, here, strings.TrimSpace(ours.String()))
	require.NotEqual(t, here, strings.TrimSpace(theirs.String()))
}

func TestIsolationThatFails(t *testing.T) {
	t.Parallel()
	d := isolating(t)
	task, _ := shell(t, "true")
	task.Mounts = []driver.Mount{{Source: "/nonesuch", Destination: "/v"}}
	_, err := d.Start(t.Context(), task)
	require.ErrorContains(t, err, "isolate the task: mount /nonesuch")
	task, _ = shell(t, "true")
	require.True(t, ended(t, begin(t, d, task)).Successful(), "the next one is not harmed")
}

package files_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/files"
)

func TestLogsFromAnOffset(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	// The ninth comes before the tenth, though not by name; others are no logs of the task.
	for name, text := range map[string]string{
		"web.stdout.9": "0123\n", "web.stdout.10": "5678\n", "web.stderr.0": "err\n", "web.stdout.x": "no", "web.stdout.010": "no", "web.stdout": "no",
	} {
		write(t, dir, "alloc/logs/"+name, text)
	}
	for _, c := range []struct {
		kind   string
		origin string
		offset int64
		want   string
	}{
		{"stdout", api.OriginStart, 0, "0123\n5678\n"}, {"stdout", api.OriginStart, 2, "23\n5678\n"}, {"stdout", api.OriginStart, 6, "678\n"},
		{"stdout", api.OriginStart, 5, "5678\n"}, {"stdout", api.OriginStart, 99, ""}, {"stdout", api.OriginStart, -3, "78\n"},
		{"stdout", api.OriginEnd, 0, "0123\n5678\n"}, {"stdout", api.OriginEnd, 3, "78\n"}, {"stdout", api.OriginEnd, 6, "\n5678\n"},
		{"stdout", api.OriginEnd, 99, "0123\n5678\n"}, {"stderr", api.OriginStart, 0, "err\n"},
	} {
		var got collector
		request := files.LogsRequest{Task: "web", Type: c.kind, Origin: c.origin, Offset: c.offset}
		require.NoError(t, directory.Logs(t.Context(), request, got.send))
		assert.Equal(t, c.want, got.text(), "%+v", c)
	}
}

func TestLogsRefusals(t *testing.T) {
	t.Parallel()
	directory, _ := newDirectory(t)
	err := directory.Logs(t.Context(), files.LogsRequest{Task: "nope", Type: "stdout"}, new(collector).send)
	requireRefused(t, err, http.StatusBadRequest, `unknown task name "nope"`)
	err = directory.Logs(t.Context(), files.LogsRequest{Task: "later", Type: "stdout"}, new(collector).send)
	requireRefused(t, err, http.StatusNotFound, `task "later" not started yet. No logs available`)
	var got collector
	require.NoError(t, directory.Logs(t.Context(), files.LogsRequest{Task: "web", Type: "stdout"}, got.send))
	assert.Empty(t, got.frames, "it has printed nothing")
}

func TestLogsFollowRotation(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	const name = "alloc/logs/web.stdout."
	synctest.Test(t, func(t *testing.T) {
		var got collector
		gone := make(chan struct{})
		go func() {
			_ = directory.Logs(t.Context(), files.LogsRequest{Task: "web", Type: "stdout", Follow: true}, func(f *api.StreamFrame) error {
				_ = got.send(f)
				if got.text() == "abcdef" {
					close(gone)
					return os.ErrClosed
				}
				return nil
			})
		}()
		look := func() { time.Sleep(300 * time.Millisecond); synctest.Wait() }
		look()
		write(t, dir, name+"0", "a")
		look()
		appendTo(t, dir, name+"0", "b")
		write(t, dir, name+"1", "c")
		write(t, dir, name+"2", "d")
		require.NoError(t, os.Remove(filepath.Join(dir, name+"0")))
		look()
		appendTo(t, dir, name+"2", "e")
		look()
		require.NoError(t, os.Remove(filepath.Join(dir, name+"1")))
		require.NoError(t, os.Remove(filepath.Join(dir, name+"2")))
		write(t, dir, name+"5", "f")
		<-gone
		var from []string
		for _, frame := range got.frames {
			from = append(from, frame.File)
		}
		assert.Equal(t, []string{name + "0", name + "0", name + "1", name + "2", name + "2", name + "5"}, from)
	})
}

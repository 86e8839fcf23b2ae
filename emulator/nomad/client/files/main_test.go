package files_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/nomad/client/files"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newDirectory makes an allocation directory with the tasks "web", which runs, and "later", which does not yet.
func newDirectory(t *testing.T) (*files.Directory, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "allocation")
	for _, folder := range []string{"alloc/logs", "alloc/secrets", "web/local", "web/secrets", "web/private", "later"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
	}
	states := map[string]bool{"web": true, "later": false}
	return files.New(dir, func(task string) (known, started bool) {
		started, known = states[task]
		return known, started
	}), dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

func appendTo(t *testing.T, dir, name, text string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

// requireRefused checks the answer that an error makes.
func requireRefused(t *testing.T, err error, status int, message string) {
	t.Helper()
	var refused *files.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, message, refused.Message)
	require.Equal(t, http.StatusText(status), http.StatusText(refused.Status))
}

// collector keeps what is sent, but for heartbeats.
type collector struct {
	frames     []api.StreamFrame
	heartbeats int
}

func (c *collector) send(frame *api.StreamFrame) error {
	if frame.IsHeartbeat() {
		c.heartbeats++
		return nil
	}
	kept := *frame
	kept.Data = append([]byte(nil), frame.Data...)
	c.frames = append(c.frames, kept)
	return nil
}

func (c *collector) text() string {
	var text string
	for _, frame := range c.frames {
		text += string(frame.Data)
	}
	return text
}

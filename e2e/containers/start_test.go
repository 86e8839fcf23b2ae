package containers

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator"
)

// coldStart is how long a role may take from nothing until it listens, with its
// bus and objects connected.
const coldStart = 50 * time.Millisecond

// TestARoleStartsCold measures the program of the image outside the container,
// where no engine adds to it. It is given several attempts, as machines that
// are busy with other things measure those.
func TestARoleStartsCold(t *testing.T) {
	images(t)
	parts := startParts(t)
	best := within
	for attempt := 0; attempt < 50 && best >= coldStart; attempt++ {
		best = min(best, startRole(t, parts))
	}
	t.Logf("uploads listens %s after it was started", best.Round(time.Millisecond/10))
	require.Less(t, best, coldStart)
}

// startRole is how long the role uploads takes until it says that it has started.
func startRole(t *testing.T, parts *emulator.Stack) time.Duration {
	t.Helper()
	role := exec.Command(filepath.Join(root, "bin/image/drydock"), "uploads")
	role.Env = []string{
		"DRYDOCK_LISTEN=127.0.0.1:0", "DRYDOCK_BUS=" + parts.NATSURL(), "DRYDOCK_OBJECTS=s3+" + parts.S3URL() + "/" + emulator.Bucket,
		"AWS_ACCESS_KEY_ID=drydock", "AWS_SECRET_ACCESS_KEY=" + rootKey(t, parts),
	}
	output, err := role.StderrPipe()
	require.NoError(t, err)
	begun := time.Now()
	require.NoError(t, role.Start())
	lines, took := bufio.NewScanner(output), time.Duration(0)
	for lines.Scan() {
		if took == 0 && strings.Contains(lines.Text(), `"msg":"started"`) {
			took = time.Since(begun)
			require.NoError(t, role.Process.Signal(syscall.SIGTERM))
		}
	}
	require.NoError(t, role.Wait())
	require.NotZero(t, took, "the role did not start")
	return took
}

// rootKey is the secret of the object store's key that may do everything.
func rootKey(t *testing.T, parts *emulator.Stack) string {
	t.Helper()
	text, err := os.ReadFile(parts.KeysFile())
	require.NoError(t, err)
	var keys map[string]string
	require.NoError(t, json.Unmarshal(text, &keys))
	return keys["drydock"]
}

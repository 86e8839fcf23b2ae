package conformance

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheInstalledProgramIsTheCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, (Suite{Program: "consul"}).install(dir, []string{"/bin/echo", "it's", "$HOME"}))
	output, err := exec.Command(filepath.Join(dir, "consul"), "agent", "-a b").Output()
	require.NoError(t, err)
	assert.Equal(t, "it's $HOME agent -a b\n", string(output))

	assert.Error(t, (Suite{Program: "consul"}).install(dir, []string{filepath.Join(dir, "nothing")}))
}

func TestTheTestsFindNoOtherProgram(t *testing.T) {
	t.Setenv("CONSUL_HTTP_ADDR", "203.0.113.1:8500")
	t.Setenv("PATH", "/usr/bin")
	kept := Suite{Unset: []string{"CONSUL_"}}.environment("/installed")
	assert.Contains(t, kept, "PATH=/installed:/usr/bin")
	assert.NotContains(t, kept, "PATH=/usr/bin")
	assert.NotContains(t, kept, "CONSUL_HTTP_ADDR=203.0.113.1:8500")
}

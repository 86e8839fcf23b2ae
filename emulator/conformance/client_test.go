package conformance

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheProgramIsRunUnderTheNameThatTestsLookFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	suite := Suite{Program: "consul"}
	require.NoError(t, suite.install(dir, "/bin/sh"))
	output, err := exec.Command(filepath.Join(dir, "consul"), "-c", "echo $0").Output()
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "consul")+"\n", string(output))

	assert.Error(t, Suite{Program: "nomad"}.install(dir, filepath.Join(dir, "nothing")))
}

func TestTheTestsFindNoOtherProgram(t *testing.T) {
	t.Setenv("CONSUL_HTTP_ADDR", "203.0.113.1:8500")
	t.Setenv("PATH", "/usr/bin")
	kept := Suite{Unset: []string{"CONSUL_"}}.environment("/installed")
	assert.Contains(t, kept, "PATH=/installed:/usr/bin")
	assert.NotContains(t, kept, "PATH=/usr/bin")
	assert.NotContains(t, kept, "CONSUL_HTTP_ADDR=203.0.113.1:8500")
}

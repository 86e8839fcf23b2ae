package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestParityOfTheJobFiles has the official program check the files that the
// platform runs, with each of their drivers: it finds them well formed, and the
// real Nomad and the emulator take them with the same words.
func TestParityOfTheJobFiles(t *testing.T) {
	t.Parallel()
	program := realNomad(t)
	files, err := filepath.Glob("../../../jobs/*.nomad.hcl")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	output, err := exec.Command(program, append([]string{"fmt", "-check", "-list"}, files...)...).CombinedOutput()
	require.NoError(t, err, "not formatted as `nomad fmt` does: %s", output)

	atReal, atEmulated := startReal(t, program, ""), startEmulated(t, "")
	for _, file := range files {
		for _, driver := range []string{"raw_exec", "exec", "docker"} {
			validate := func(a agent) (string, error) {
				output, err := exec.Command(program, "job", "validate", "-address="+a.url, "-var=driver="+driver, file).CombinedOutput()
				return string(output), err
			}
			real, err := validate(atReal)
			require.NoError(t, err, "%s with %s: %s", file, driver, real)
			emulated, err := validate(atEmulated)
			require.NoError(t, err, "%s with %s: %s", file, driver, emulated)
			assert.Equal(t, real, emulated, "%s with %s", file, driver)
		}
	}
}

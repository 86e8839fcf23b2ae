package main

import (
	"bufio"
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lightPackage is how much memory, in bytes, a package of ours may take before
// main: every role starts with all of the program's packages. What is dear, such
// as an expression with large repetitions, is made when it is first used.
const lightPackage = 64 << 10

func TestPackagesStartLight(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"drydock", "drydock-images"} {
		cmd := exec.Command(filepath.Join(programs(t), program), "--version")
		cmd.Env = append(cmd.Environ(), "GODEBUG=inittrace=1")
		var trace bytes.Buffer
		cmd.Stderr = &trace
		require.NoError(t, cmd.Run())
		line := regexp.MustCompile(`^init (\S+) .* (\d+) bytes,`)
		packages := 0
		for lines := bufio.NewScanner(&trace); lines.Scan(); {
			found := line.FindStringSubmatch(lines.Text())
			if found == nil || !strings.HasPrefix(found[1], module+"/") {
				continue
			}
			packages++
			bytes, err := strconv.Atoi(found[2])
			require.NoError(t, err)
			assert.Less(t, bytes, lightPackage, "%s: package %s takes so many bytes before main", program, found[1])
		}
		assert.NotZero(t, packages, "%s says nothing about its packages", program)
	}
}

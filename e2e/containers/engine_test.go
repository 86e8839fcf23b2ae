package containers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// root is the repository, seen from here.
const root = "../.."

// labelAllocation is on every container that a Nomad runs, emulated or not.
const labelAllocation = "com.hashicorp.nomad.alloc_id"

// buildImages builds both, buildParts those of the platform's parts, once, as
// where there is no registry.
var (
	buildImages = sync.OnceValue(func() error { return build() })
	buildParts  = sync.OnceValue(func() error { return build("parts") })
)

func build(which ...string) error {
	build := exec.Command("scripts/image.sh", which...)
	build.Dir = root
	build.Env = append(os.Environ(), "BASE=local")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("scripts/image.sh: %w\n%s", err, output)
	}
	return nil
}

// images has both images built. Where that cannot be, for want of root, of
// mmdebstrap or of an engine, the test is skipped.
func images(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the images' base is made by root: run make test-docker as root")
	}
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		t.Skip("mmdebstrap is missing, which makes the images' base: make test-docker installs it")
	}
	if output, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		t.Skipf("no Docker engine answers, make test-docker starts one: %s", bytes.TrimSpace(output))
	}
	require.NoError(t, buildImages())
}

// docker runs the program, and returns what it prints.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	var output, problems bytes.Buffer
	command := exec.Command("docker", args...)
	command.Stdout, command.Stderr = &output, &problems
	require.NoError(t, command.Run(), "docker %s: %s", strings.Join(args, " "), &problems)
	return strings.TrimSpace(output.String())
}

// container is what the engine says of one.
type container struct {
	ID         string `json:"Id"`
	State      struct{ Health *struct{ Status string } }
	Config     struct{ User string }
	HostConfig struct {
		ReadonlyRootfs, Privileged bool
		NetworkMode                string
		CapAdd, CapDrop            []string
		SecurityOpt                []string
	}
}

// containersOf are those of an allocation.
func containersOf(t *testing.T, allocation string) (found []container) {
	t.Helper()
	ids := strings.Fields(docker(t, "ps", "--quiet", "--filter", "label="+labelAllocation+"="+allocation))
	if len(ids) > 0 {
		require.NoError(t, json.Unmarshal([]byte(docker(t, append([]string{"inspect"}, ids...)...)), &found))
	}
	return found
}

// within is how long anything here may take, on a busy machine.
const within = 3 * time.Minute

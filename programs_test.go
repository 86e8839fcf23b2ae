package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/jobs"
)

// programsFolder holds what programs has built; TestMain removes it.
var programsFolder string

func TestMain(m *testing.M) {
	code := m.Run()
	if programsFolder != "" {
		os.RemoveAll(programsFolder)
	}
	os.Exit(code)
}

// build makes the two programs, once for all tests.
var build = sync.OnceValue(func() error {
	var err error
	if programsFolder, err = os.MkdirTemp("", "drydock-programs-"); err != nil {
		return err
	}
	for name, folder := range map[string]string{"drydock": ".", "drydock-images": "./workers/images"} {
		output, err := exec.Command("go", "build", "-o", filepath.Join(programsFolder, name), folder).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build %s: %w\n%s", folder, err, bytes.TrimSpace(output))
		}
	}
	return nil
})

// programs returns a folder with the programs drydock and drydock-images.
func programs(t *testing.T) string {
	t.Helper()
	require.NoError(t, build())
	return programsFolder
}

// startWithin bounds the start of a stack in a test, on a busy machine.
const startWithin = 3 * time.Minute

// startStack starts a whole stack on free ports, which ends with the test.
func startStack(t *testing.T, o emulator.Options) *emulator.Stack {
	t.Helper()
	o.Jobs = jobs.Files
	o.Path = []string{programs(t)}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	stack, err := emulator.Start(ctx, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	return stack
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// clientModule pins the client whose tests are run.
	clientModule = "scripts/tools/consul-api"

	clientPackages = "github.com/hashicorp/consul/api/..."
	testsTimeout   = 5 * time.Minute
)

// testClient runs the client's tests with a folder first on the PATH whose
// program consul is the command, and returns what came of each test. It runs in
// the checkout's root, and leaves no process behind.
func testClient(ctx context.Context, command []string, pattern string, parallel int) (_ outcomes, err error) {
	dir, err := os.MkdirTemp("", "drydock-conformance-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := installConsul(dir, command); err != nil {
		return nil, err
	}
	test := exec.CommandContext(ctx, "go", "test", "-C", clientModule, "-json", "-vet=off", "-count=1",
		"-timeout", testsTimeout.String(), "-parallel", fmt.Sprint(parallel), "-run", pattern, clientPackages)
	test.Env = environment(dir)
	// A group of its own: tests that give up leave their servers running.
	test.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	test.Cancel = func() error { return syscall.Kill(-test.Process.Pid, syscall.SIGKILL) }
	var complaints strings.Builder
	test.Stderr = &complaints
	events, err := test.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := test.Start(); err != nil {
		return nil, err
	}
	results, readErr := readOutcomes(events)
	// That tests fail is a result; that they cannot be run shows in there being none.
	waitErr := test.Wait()
	if err := syscall.Kill(-test.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return nil, fmt.Errorf("end the servers that the tests left: %w", err)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if readErr != nil {
		return nil, readErr
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("run the client's tests: %w\n%s", waitErr, complaints.String())
	}
	return results, nil
}

// installConsul writes the program consul that the tests find. It becomes the
// command instead of waiting for it: the tests signal the process they started.
func installConsul(dir string, command []string) error {
	program, err := filepath.Abs(command[0])
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(program); err != nil {
		return err
	}
	quoted := make([]string, len(command))
	for i, word := range append([]string{program}, command[1:]...) {
		quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	script := "#!/bin/sh\nexec " + strings.Join(quoted, " ") + " \"$@\"\n"
	return os.WriteFile(filepath.Join(dir, "consul"), []byte(script), 0o755)
}

// environment is this process's, without what would lead the tests to a Consul
// that happens to run, and with dir first on the PATH.
func environment(dir string) []string {
	kept := []string{"PATH=" + dir + string(filepath.ListSeparator) + os.Getenv("PATH")}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PATH=") && !strings.HasPrefix(entry, "CONSUL_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

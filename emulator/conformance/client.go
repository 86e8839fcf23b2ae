package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const testsTimeout = 5 * time.Minute

// testClient runs the client's tests with a folder first on the PATH that holds
// the program, and returns what came of each test. It runs in the checkout's
// root, and leaves no process behind.
func (s Suite) testClient(ctx context.Context, program, pattern string, parallel int) (_ Outcomes, err error) {
	dir, err := os.MkdirTemp("", "drydock-conformance-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := s.install(dir, program); err != nil {
		return nil, err
	}
	test := exec.CommandContext(ctx, "go", "test", "-C", "scripts/tools/"+s.Program+"-api", "-json", "-vet=off", "-count=1",
		"-timeout", testsTimeout.String(), "-parallel", fmt.Sprint(parallel), "-run", pattern, s.Packages)
	test.Env = s.environment(dir)
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

// install puts the program into a folder under the name that the tests look for.
func (s Suite) install(dir, program string) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(program); err != nil {
		return err
	}
	return os.Symlink(program, filepath.Join(dir, s.Program))
}

// environment is this process's, without what is unset, and with dir first on
// the PATH.
func (s Suite) environment(dir string) []string {
	kept := []string{"PATH=" + dir + string(filepath.ListSeparator) + os.Getenv("PATH")}
	for _, entry := range os.Environ() {
		unset := func(prefix string) bool { return strings.HasPrefix(entry, prefix) }
		if !unset("PATH=") && !slices.ContainsFunc(s.Unset, unset) {
			kept = append(kept, entry)
		}
	}
	return kept
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator/conformance"
)

// testsTimeout bounds one run of all tests.
const testsTimeout = 10 * time.Minute

// test builds minio-go's functional tests, runs them once against the server
// that start starts, and returns what came of each.
func test(ctx context.Context, start func() (*endpoint, error), stderr io.Writer) (_ conformance.Outcomes, err error) {
	ctx, cancel := context.WithTimeout(ctx, testsTimeout)
	defer cancel()
	dir, err := os.MkdirTemp("", "drydock-conformance-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program := filepath.Join(dir, "functional_tests")
	if err := build(ctx, program); err != nil {
		return nil, err
	}
	server, err := start()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()

	tests := exec.CommandContext(ctx, program)
	tests.Dir, tests.Stderr, tests.Env = dir, stderr, environment(dir, server.address)
	lines, err := tests.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := tests.Start(); err != nil {
		return nil, err
	}
	outcomes, readErr := readOutcomes(lines, strings.Fields(testsList))
	return outcomes, errors.Join(readErr, tests.Wait())
}

// build compiles the tests of the minio-go that go.mod pins.
func build(ctx context.Context, program string) error {
	find := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/minio/minio-go/v7")
	find.Stderr = os.Stderr
	dir, err := find.Output()
	if err != nil {
		return fmt.Errorf("find minio-go: %w", err)
	}
	source := filepath.Join(strings.TrimSpace(string(dir)), "functional_tests.go")
	if output, err := exec.CommandContext(ctx, "go", "build", "-o", program, source).CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", source, err, output)
	}
	return nil
}

// environment is all that the tests see. Without an endpoint they would ask a
// public server.
func environment(dir, address string) []string {
	return []string{
		"SERVER_ENDPOINT=" + address, "ACCESS_KEY=" + accessKey, "SECRET_KEY=" + secretKey, "ENABLE_HTTPS=0",
		"ENABLE_KMS=0",   // there is no server for keys
		"MINT_MODE=full", // all of them
		"RUN_ON_FAIL=1",  // also after one failed
		"TMPDIR=" + dir,
	}
}

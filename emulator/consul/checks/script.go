package checks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/hashicorp/consul/api"
)

// outputGrace bounds the wait for the output of a killed script: a process that has left its group may hold the pipe.
const outputGrace = time.Second

// scriptProbe runs a program with the agent's environment. It passes with exit code 0, warns with 1, and fails with others.
// A program that takes too long is killed with all that it has started.
func scriptProbe(d Definition) probe {
	return func(ctx context.Context) Result {
		ctx, cancel := context.WithTimeout(ctx, d.probeTimeout())
		defer cancel()
		output := &tail{limit: d.outputLimit()}
		err := runScript(ctx, d.ScriptArgs, output)
		if ctx.Err() != nil {
			return critical(fmt.Sprintf("Timed out (%s) running check\n\n%s", d.probeTimeout(), output))
		}
		return scriptResult(err, output.String())
	}
}

func scriptResult(err error, output string) Result {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return passing(output)
	case !errors.As(err, &exit):
		return critical(err.Error())
	case exit.ExitCode() == 1:
		return Result{Status: api.HealthWarning, Output: output}
	}
	return critical(output)
}

// runScript runs a program in a process group of its own, and kills the group if ctx ends before the program has ended and
// all that hold its output have closed it.
func runScript(ctx context.Context, args []string, output io.Writer) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("open a pipe for output: %w", err)
	}
	defer r.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, _ = io.Copy(output, r) // ends with the last writer, or with the deadline that is set below
		ended <- cmd.Wait()
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = r.SetReadDeadline(time.Now().Add(outputGrace))
		return <-ended
	}
}

package agents

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// markVariable is the environment variable that holds the stack's name in every
// process of the stack: agents hand it on to the tasks that they start.
const markVariable = "DRYDOCK_STACK"

// inherited are the environment variables that an agent gets from this program.
// What else is in a shell must not change how a stack behaves.
var inherited = []string{"HOME", "USER", "LANG", "TMPDIR", "DOCKER_HOST"}

// Environment is that of the agents of a stack, a name that no other stack of
// the machine has, as its folder. path is where they and their tasks find programs.
func Environment(stack, path string) []string {
	environment := []string{"PATH=" + path, markVariable + "=" + stack}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}

// Left are the processes of a stack that run, its agents among them, and what
// those have started.
func Left(stack string) ([]int, error) {
	found, err := leftOf(stack)
	var pids []int
	for _, p := range found {
		pids = append(pids, p.PID)
	}
	return pids, err
}

// EndLeft ends all that runs of a stack, by SIGTERM first and after grace by
// SIGKILL, and returns how many processes it were. The agents are among them;
// stop them before, or they start again what ends.
func EndLeft(ctx context.Context, stack string, grace time.Duration) (int, error) {
	ended := map[process]bool{}
	patience, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace+killWait)
	defer cancel()
	for {
		found, err := leftOf(stack)
		if err != nil {
			return len(ended), err
		}
		for p := range ended {
			if !slices.Contains(found, p) && p.runs() { // a process that ends loses its environment first
				found = append(found, p)
			}
		}
		if len(found) == 0 {
			return len(ended), nil
		}
		for _, p := range found {
			signal := syscall.SIGTERM
			if patience.Err() != nil {
				signal = syscall.SIGKILL
			} else if ended[p] {
				continue
			}
			if _, err := p.signal(signal); err != nil {
				return len(ended), fmt.Errorf("end what is left of the stack: %w", err)
			}
			ended[p] = true
		}
		select {
		case <-last.Done():
			return len(ended), fmt.Errorf("end what is left of the stack: %d processes are there still, %s after they were killed", len(found), killWait)
		case <-time.After(pollEvery):
		}
	}
}

// row is a process of the system's table.
type row struct {
	process
	parent int
	marked bool
}

// leftOf finds the processes that have the mark, and all below them.
func leftOf(stack string) ([]process, error) {
	if stack == "" || strings.ContainsAny(stack, "\x00\n") {
		return nil, fmt.Errorf("find the processes of stack %q: that is no name for one", stack)
	}
	table, err := processTable(markVariable + "=" + stack)
	if err != nil {
		return nil, fmt.Errorf("find the processes of stack %s: %w", stack, err)
	}
	children := map[int][]row{}
	var open []row
	for _, r := range table {
		children[r.parent] = append(children[r.parent], r)
		if r.marked {
			open = append(open, r)
		}
	}
	seen := map[int]bool{os.Getpid(): true}
	var found []process
	for len(open) > 0 {
		r := open[0]
		open = open[1:]
		if !seen[r.PID] {
			seen[r.PID] = true
			found = append(found, r.process)
			open = append(open, children[r.PID]...)
		}
	}
	return found, nil
}

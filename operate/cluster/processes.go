package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/drydock/drydock/operate/agents"
)

// processes are those of a network namespace: agents, tasks, and whoever else
// entered it. There are none where there is no such namespace.
func processes(namespace string) ([]*os.Process, error) {
	wanted, err := os.Stat(namespaceFile(namespace))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the processes of %s: %w", namespace, err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("find the processes of %s: %w", namespace, err)
	}
	var found []*os.Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !isIn(pid, wanted) {
			continue
		}
		// Holds on to the process, so that no other is meant once it has ended.
		process, err := os.FindProcess(pid)
		if err == nil && isIn(pid, wanted) {
			found = append(found, process)
		}
	}
	return found, nil
}

// inhabited tells whether a namespace has processes.
func inhabited(namespace string) (bool, error) {
	found, err := processes(namespace)
	for _, process := range found {
		process.Release()
	}
	return len(found) > 0, err
}

func isIn(pid int, namespace fs.FileInfo) bool {
	info, err := os.Stat(fmt.Sprintf("/proc/%d/ns/net", pid))
	return err == nil && os.SameFile(info, namespace)
}

// killAll kills the processes of a namespace at once, also agents that are on
// their way into it, and returns when none is left.
func killAll(ctx context.Context, namespace string) error {
	if err := killInside(ctx, namespace); err != nil {
		return err
	}
	if _, err := agents.EndLeft(ctx, namespace, 0); err != nil {
		return err
	}
	return killInside(ctx, namespace)
}

func killInside(ctx context.Context, namespace string) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		left, err := processes(namespace)
		if err != nil || len(left) == 0 {
			return err
		}
		for _, process := range left {
			process.Kill() // what has ended meanwhile is not found again
			process.Release()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kill the %d processes of %s: %w", len(left), namespace, ctx.Err())
		case <-ticker.C:
		}
	}
}

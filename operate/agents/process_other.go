//go:build !linux

package agents

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// startOf tells when a process started; errors for one that has ended.
func startOf(pid int) (string, error) {
	lines, err := ps("-p", strconv.Itoa(pid), "-o", "stat=,lstart=")
	if err != nil {
		return "", err
	}
	fields := strings.Fields(lines[0])
	if len(fields) < 2 || strings.HasPrefix(fields[0], "Z") {
		return "", errEnded
	}
	return strings.Join(fields[1:], "_"), nil
}

// processTable lists the processes of the system; those are marked whose
// environment holds the mark.
func processTable(mark string) ([]row, error) {
	const fixed = 8 // fields before the command: two numbers, a state, and a date of five words
	lines, err := ps("-axEww", "-o", "pid=,ppid=,stat=,lstart=,command=")
	if err != nil {
		return nil, err
	}
	var table []row
	for _, line := range lines {
		fields := strings.Fields(line)
		if len(fields) <= fixed || strings.HasPrefix(fields[2], "Z") {
			continue
		}
		pid, err := strconv.Atoi(fields[0])
		if err != nil {
			return nil, fmt.Errorf("ps: %q begins with no process: %w", line, err)
		}
		parent, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, fmt.Errorf("ps: %q names no parent: %w", line, err)
		}
		marked := strings.Contains(line+" ", " "+mark+" ")
		table = append(table, row{process{pid, strings.Join(fields[3:fixed], "_")}, parent, marked})
	}
	return table, nil
}

// ps runs the system's program, which tells times in one way for everybody.
func ps(args ...string) ([]string, error) {
	cmd := exec.Command("ps", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ps %s: %w", strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimRight(string(output), "\n"), "\n"), nil
}

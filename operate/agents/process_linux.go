package agents

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// boot tells this run of the system from others: it counts the starts of processes anew.
var boot = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
})

// startOf tells when a process started; errors for one that has ended.
func startOf(pid int) (string, error) {
	start, _, err := stat(pid)
	return start, err
}

// stat reads the start and the parent of a process that has not ended.
func stat(pid int) (start string, parent int, err error) {
	const state, parentAt, threadsAt, startAt = 0, 1, 17, 19 // of the fields after the name
	id, err := boot()
	if err != nil {
		return "", 0, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, err
	}
	_, after, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')'):]), " ") // a name may hold anything
	fields := strings.Fields(after)
	if len(fields) <= startAt {
		return "", 0, fmt.Errorf("read /proc/%d/stat: it holds %d fields after the name, not %d or more", pid, len(fields), startAt+1)
	}
	// The first thread may have ended before others, which hold what the process holds.
	if fields[state] == "X" || fields[state] == "Z" && (fields[threadsAt] == "1" || fields[threadsAt] == "0") {
		return "", 0, errEnded
	}
	parent, err = strconv.Atoi(fields[parentAt])
	return id + "/" + fields[startAt], parent, err
}

// processTable lists the processes of the system; those are marked whose
// environment holds the mark.
func processTable(mark string) ([]row, error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var table []row
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		start, parent, err := stat(pid)
		if err != nil {
			continue // it has ended meanwhile
		}
		environment, _ := os.ReadFile(folder + "/environ") // others' cannot be read, and are not ours
		marked := bytes.Contains(append([]byte{0}, environment...), []byte("\x00"+mark+"\x00"))
		table = append(table, row{process{pid, start}, parent, marked})
	}
	return table, nil
}

package ports

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// holder finds the program that listens on a TCP port of host, or of all
// addresses of this machine. ok is
// false when nobody does, or when it is another user's and may not be seen.
func holder(port int) (pid int, program string, ok bool) {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(text) {
			if inode, listens := listener(string(line), port); listens {
				sockets["socket:["+inode+"]"] = true
			}
		}
	}
	if len(sockets) == 0 {
		return 0, "", false
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, "", false
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && sockets[target] {
			process := strings.Split(link, "/")[2]
			if pid, err = strconv.Atoi(process); err == nil {
				return pid, programOf(process), true
			}
		}
	}
	return 0, "", false
}

// listener reads a line of /proc/net/tcp and returns its socket if it listens on port.
func listener(line string, port int) (inode string, ok bool) {
	const listening = "0A"
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != listening {
		return "", false
	}
	address, local, _ := strings.Cut(fields[1], ":")
	return fields[9], local == fmt.Sprintf("%04X", port) && isOurs(address)
}

// isOurs tells whether an address, in hexadecimal as the kernel has it in
// memory, is host or stands for all.
func isOurs(address string) bool {
	const little, big = "0100007F", "7F000001"
	return strings.Trim(address, "0") == "" || strings.HasSuffix(address, little) || strings.HasSuffix(address, big)
}

func programOf(process string) string {
	if exe, err := os.Readlink("/proc/" + process + "/exe"); err == nil {
		return filepath.Base(strings.TrimSuffix(exe, " (deleted)"))
	}
	name, err := os.ReadFile("/proc/" + process + "/comm")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(name))
}

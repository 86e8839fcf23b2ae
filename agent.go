package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// programArgs are the arguments of the program: under the name of a program
// that is emulated it is that command, for those who look for one of that name.
// Such a program tells its version with one dash.
func programArgs(args []string) []string {
	rest := args[1:]
	if name := filepath.Base(args[0]); isEmulated(name) {
		rest = append([]string{name}, rest...)
	}
	if len(rest) == 2 && isEmulated(rest[0]) && (rest[1] == "-version" || rest[1] == "-v") {
		rest[1] = "version"
	}
	return rest
}

func isEmulated(program string) bool { return program == "consul" || program == "nomad" }

// agentLog is what an agent's log is written to: the output, and the file that
// the configuration names, if any.
func agentLog(name string, stdout io.Writer) (out io.Writer, closeLog func() error, err error) {
	if name == "" {
		return stdout, func() error { return nil }, nil
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, nil, fmt.Errorf("open the log file: %w", err)
	}
	return io.MultiWriter(stdout, file), file.Close, nil
}

// bannerLine prints what there is to say of a thing, if anything.
func bannerLine(out io.Writer, thing, said string) {
	if said != "" {
		fmt.Fprintf(out, "%22s: '%s'\n", thing, said)
	}
}

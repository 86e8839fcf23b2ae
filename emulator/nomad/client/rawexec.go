package client

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/drydock/drydock/emulator/nomad/client/process"
)

// command is a program to start.
type command struct {
	path           string
	args           []string // without the program's own name
	dir            string
	env            []string
	stdout, stderr io.Writer
}

// startProcess starts a program; what it prints goes to the command's writers until it has ended.
func (n *Nomad) startProcess(c command) (*process.Process, error) {
	p, err := n.processes.Start(process.Command{Path: c.path, Args: c.args, Dir: c.dir, Env: c.env, Stdout: c.stdout, Stderr: c.stderr})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.path, err)
	}
	return p, nil
}

// endOf says how a process that is done has ended.
func endOf(p *process.Process) ending {
	code, signal, err := p.Exit()
	switch {
	case err != nil:
		return ending{message: err.Error()}
	case signal != 0:
		return ending{message: "signal: " + signal.String()}
	}
	return ending{success: code == 0, message: fmt.Sprintf("exit code %d", code)}
}

// rawExecConfig is the config block of a raw_exec task.
type rawExecConfig struct {
	command string
	args    []string
}

// decodeConfig reads a config block as Nomad's API carries it.
func decodeConfig(config map[string]any) (c rawExecConfig, err error) {
	for key, value := range config {
		switch key {
		case "command":
			c.command, _ = value.(string)
		case "args":
			list, ok := value.([]any)
			if !ok {
				return c, fmt.Errorf("args is %T: make it a list of strings", value)
			}
			for _, arg := range list {
				switch arg := arg.(type) {
				case float64: // as JSON has every number
					c.args = append(c.args, strconv.FormatFloat(arg, 'f', -1, 64))
				case string, bool, int:
					c.args = append(c.args, fmt.Sprint(arg))
				default:
					return c, fmt.Errorf("args holds a %T: make it a list of strings", arg)
				}
			}
		default:
			return c, fmt.Errorf("%s is not supported by raw_exec here: use command and args", key)
		}
	}
	if c.command == "" {
		return c, errors.New("has no command: name the program")
	}
	return c, nil
}

// findProgram looks for a program in the task directory, then in the folders of path.
func findProgram(name, taskDir, path string) (string, error) {
	folders := []string{filepath.Join(taskDir, "local"), taskDir}
	switch {
	case filepath.IsAbs(name):
		folders = []string{""}
	case !strings.Contains(name, "/"):
		folders = append(folders, filepath.SplitList(path)...)
	}
	for _, folder := range folders {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	if filepath.IsAbs(name) {
		return "", fmt.Errorf("program %q is not there or not executable: build it with make build", name)
	}
	return "", fmt.Errorf("program %q not found in %s: build it with make build", name, strings.Join(folders, ", "))
}

// signalNamed finds a signal by its name in a job file; Nomad's default is SIGINT.
func signalNamed(name string) (syscall.Signal, error) {
	switch strings.TrimPrefix(strings.ToUpper(name), "SIG") {
	case "", "INT":
		return syscall.SIGINT, nil
	case "TERM":
		return syscall.SIGTERM, nil
	case "HUP":
		return syscall.SIGHUP, nil
	case "QUIT":
		return syscall.SIGQUIT, nil
	case "KILL":
		return syscall.SIGKILL, nil
	case "USR1":
		return syscall.SIGUSR1, nil
	case "USR2":
		return syscall.SIGUSR2, nil
	}
	return 0, fmt.Errorf("signal %q is not supported here: use SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGKILL, SIGUSR1 or SIGUSR2", name)
}

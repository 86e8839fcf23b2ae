package client

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// rawExec is the raw_exec driver: it starts programs as they are, each in a process group of its own, so that none of them
// outlives its task or the owner. Three things see to that: the group is killed when its first process ends; on Linux the
// kernel kills that process when the owner dies; and the watchdog kills the groups that are left then, anywhere.
type rawExec struct {
	log      *slog.Logger
	watchdog *watchdog
	starts   chan func()
	gone     chan struct{} // closed when the thread that starts processes is about to end
}

// command is a program to start.
type command struct {
	path           string
	args           []string // without the program's own name
	dir            string
	env            []string
	stdout, stderr io.Writer
}

// killOrder says how a process is ended.
type killOrder struct {
	signal  syscall.Signal
	timeout time.Duration
}

// process is a started program and its process group.
type process struct {
	pid   int
	ended chan struct{} // closed when it has ended, its group is killed, and all it printed is written

	// Readable once ended is closed.
	success bool
	message string

	cmd  *exec.Cmd
	mu   sync.Mutex
	gone bool // its group is dead, and the number may be another's
}

// logDrain bounds the wait for what a killed group has left in its pipes.
const logDrain = 2 * time.Second

func newRawExec(log *slog.Logger) (*rawExec, error) {
	w, err := startWatchdog()
	if err != nil {
		return nil, err
	}
	d := &rawExec{log: log, watchdog: w, starts: make(chan func()), gone: make(chan struct{})}
	go d.startLoop()
	return d, nil
}

// startLoop starts all processes from one thread: the kernel ends a child with the thread that started it, not with the
// program, and Go's other threads come and go. The lock is never given back, so that the thread ends with the loop.
func (d *rawExec) startLoop() {
	defer close(d.gone)
	runtime.LockOSThread()
	for start := range d.starts {
		start()
	}
}

// close ends the thread and the watchdog. All processes have ended before.
func (d *rawExec) close() error {
	close(d.starts)
	<-d.gone
	return d.watchdog.close()
}

// start starts a program; what it prints goes to the command's writers until it has ended.
func (d *rawExec) start(c command) (*process, error) {
	cmd := &exec.Cmd{
		Path: c.path, Args: append([]string{c.path}, c.args...), Dir: c.dir, Env: c.env,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	dieWithOwner(cmd.SysProcAttr)
	stdout, err := openPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := openPipe()
	if err != nil {
		stdout.close()
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = stdout.w, stderr.w
	started := make(chan error, 1)
	d.starts <- func() {
		err := cmd.Start()
		if err == nil {
			if err = d.watchdog.add(cmd.Process.Pid); err != nil {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				_ = cmd.Wait()
			}
		}
		started <- err
	}
	if err := <-started; err != nil {
		stdout.close()
		stderr.close()
		return nil, fmt.Errorf("start %s: %w", c.path, err)
	}
	p := &process{pid: cmd.Process.Pid, cmd: cmd, ended: make(chan struct{})}
	var logs sync.WaitGroup
	logs.Go(func() { stdout.pump(c.stdout) })
	logs.Go(func() { stderr.pump(c.stderr) })
	go func() {
		p.wait(d.watchdog)
		stdout.drain()
		stderr.drain()
		logs.Wait()
		close(p.ended)
	}()
	return p, nil
}

// wait waits for the process, then kills what is left of its group.
func (p *process) wait(w *watchdog) {
	err := p.cmd.Wait()
	p.killGroup(true)
	w.remove(p.pid)
	state := p.cmd.ProcessState
	switch {
	case state == nil:
		p.message = fmt.Sprintf("wait: %v", err)
	case state.Success():
		p.success, p.message = true, "exit code 0"
	case state.Exited():
		p.message = fmt.Sprintf("exit code %d", state.ExitCode())
	default:
		p.message = state.String() // signal: …
	}
}

// stop asks the process to end, and kills its group when it has not within the timeout. It returns when it has ended.
func (p *process) stop(k killOrder) {
	p.signal(k.signal)
	timer := time.NewTimer(k.timeout)
	defer timer.Stop()
	select {
	case <-p.ended:
		return
	case <-timer.C:
	}
	p.killGroup(false)
	<-p.ended
}

// signal sends a signal to the process, not to its group, as Nomad does; one that has ended is left alone.
func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

func (p *process) killGroup(last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	}
	p.gone = p.gone || last
}

// pipe carries what a process prints. Both ends are close-on-exec: only that process holds the write end.
type pipe struct{ r, w *os.File }

func openPipe() (pipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return pipe{}, fmt.Errorf("open a pipe for output: %w", err)
	}
	return pipe{r, w}, nil
}

func (p pipe) close() {
	p.r.Close()
	p.w.Close()
}

// pump copies until the last writer has gone.
func (p pipe) pump(to io.Writer) {
	p.w.Close()
	_, _ = io.Copy(to, p.r)
	p.r.Close()
}

// drain bounds the rest of pump: a process that has left its group may hold the write end for ever.
func (p pipe) drain() { _ = p.r.SetReadDeadline(time.Now().Add(logDrain)) }

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

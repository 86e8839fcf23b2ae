package process

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// patience bounds what tests wait for, on a machine that is busy.
const patience = time.Minute

// TestMain is also the owner of tasks that is to be killed, and one that
// ignores signals.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "owner" {
		owner()
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "ignorant" {
		ignorant()
		return
	}
	goleak.VerifyTestMain(m)
}

// owner starts programs with children, tells the numbers of all processes, and
// waits to be killed.
func owner() {
	s := NewStarter()
	out, in := io.Pipe()
	for range 3 {
		if _, err := s.Start(parent(in)); err != nil {
			fmt.Println(err)
			return
		}
	}
	lines := bufio.NewScanner(out)
	fmt.Print(s.Watchdog())
	for range 3 {
		lines.Scan()
		fmt.Print(" ", lines.Text())
	}
	fmt.Println()
	select {}
}

// ignorant starts programs that send themselves signals, and tells which ended
// them. It does so twice: a starter leaves the next one as it was.
func ignorant() {
	for range 2 {
		s := NewStarter()
		for _, name := range []string{"HUP", "INT"} {
			p, err := s.Start(shell("kill -s "+name+" $$", io.Discard))
			if err != nil {
				fmt.Println(err)
				return
			}
			<-p.Done()
			_, signal, _ := p.Exit()
			fmt.Println(signal)
		}
		if err := s.Close(); err != nil {
			fmt.Println(err)
		}
	}
}

// parent is a program with a child; it prints the numbers of both, and ignores
// what asks it to end.
func parent(out io.Writer) Command {
	return shell(`trap '' INT; sleep 1000 & echo "$$ $!"; while true; do sleep 1000; done`, out)
}

func shell(script string, out io.Writer) Command {
	return Command{Path: "/bin/sh", Args: []string{"-c", script}, Stdout: out, Stderr: io.Discard}
}

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// numbers waits for so many numbers of processes.
func numbers(t *testing.T, out *output, count int) []int {
	t.Helper()
	eventually(t, "processes are told", func() bool { return len(strings.Fields(out.String())) >= count })
	return parse(t, out.String())
}

func parse(t *testing.T, text string) []int {
	t.Helper()
	var pids []int
	for _, field := range strings.Fields(text) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err, text)
		pids = append(pids, pid)
	}
	return pids
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, time.Millisecond, what)
}

// alive reports whether a process runs; one that only waits to be reaped does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if os.IsNotExist(err) {
		_, err := os.Stat("/proc/self")
		return err != nil // without /proc, go by kill alone
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func started(t *testing.T) *Starter {
	t.Helper()
	s := NewStarter()
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestStarterCostsNothingUnused(t *testing.T) {
	t.Parallel()
	s := NewStarter()
	require.Zero(t, s.Watchdog())
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err := s.Start(shell("true", io.Discard))
	require.ErrorIs(t, err, os.ErrClosed)
}

func TestProcessEnds(t *testing.T) {
	t.Parallel()
	s := started(t)
	for script, want := range map[string]struct {
		code   int
		signal syscall.Signal
	}{"true": {}, "exit 3": {code: 3}, "kill -9 $$": {signal: syscall.SIGKILL}} {
		p, err := s.Start(shell(script, io.Discard))
		require.NoError(t, err)
		<-p.Done()
		code, signal, err := p.Exit()
		require.NoError(t, err)
		require.Equal(t, want.code, code, script)
		require.Equal(t, want.signal, signal, script)
		require.ErrorIs(t, p.Signal(syscall.SIGINT), os.ErrProcessDone)
	}
	_, err := s.Start(Command{Path: "/nonesuch"})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestChildrenEndWithTheProcess(t *testing.T) {
	t.Parallel()
	s := started(t)
	for name, end := range map[string]func(p *Process, pids []int){
		"stop":  func(p *Process, _ []int) { p.Stop(syscall.SIGINT, time.Millisecond) },
		"kill":  func(p *Process, _ []int) { p.Kill() },
		"crash": func(_ *Process, pids []int) { _ = syscall.Kill(pids[0], syscall.SIGKILL) },
	} {
		out := new(output)
		p, err := s.Start(parent(out))
		require.NoError(t, err, name)
		pids := numbers(t, out, 2)
		end(p, pids)
		<-p.Done()
		for _, pid := range pids {
			eventually(t, name, func() bool { return !alive(pid) })
		}
	}
}

func TestOutputOfAProcessThatLeavesItsGroup(t *testing.T) {
	t.Parallel()
	s, out := started(t), new(output)
	p, err := s.Start(shell(`setsid sleep 1000 & echo $!`, out))
	require.NoError(t, err)
	select {
	case <-p.Done():
	case <-time.After(patience):
		require.Fail(t, "a process that holds the pipe holds up the end")
	}
	for _, pid := range numbers(t, out, 1) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func TestNothingOutlivesAKilledOwner(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	owner := exec.Command(program, "owner")
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pids := parse(t, line)
	require.Len(t, pids, 7, "the watchdog, three programs, three children")
	for _, pid := range pids {
		require.True(t, alive(pid))
	}
	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	for _, pid := range pids {
		eventually(t, "the process is gone", func() bool { return !alive(pid) })
	}
}

func TestProcessesHeedWhatTheirOwnerIgnores(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", `trap '' HUP INT; exec "$0" ignorant`, program).CombinedOutput()
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("hangup\ninterrupt\n", 2), string(out))
}

func TestTheMainThreadIsNotConfined(t *testing.T) {
	t.Parallel()
	command := shell("true", io.Discard)
	command.Confine = func(*syscall.SysProcAttr) (func() error, error) {
		assert.False(t, isMainThread())
		return func() error { return nil }, nil
	}
	for range 50 {
		s := NewStarter()
		p, err := s.Start(command)
		require.NoError(t, err)
		<-p.Done()
		require.NoError(t, s.Close())
	}
}

func TestKilledWatchdogStopsNewProcesses(t *testing.T) {
	t.Parallel()
	s := NewStarter()
	p, err := s.Start(shell("true", io.Discard))
	require.NoError(t, err)
	<-p.Done()
	require.NoError(t, syscall.Kill(s.Watchdog(), syscall.SIGKILL))
	eventually(t, "the watchdog is gone", func() bool { return !alive(s.Watchdog()) })
	_, err = s.Start(shell("sleep 1000", io.Discard))
	require.ErrorContains(t, err, "watchdog")
	require.ErrorContains(t, s.Close(), "watchdog")
}

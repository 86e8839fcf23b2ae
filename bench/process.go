package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	stopWait   = 15 * time.Second // for a program to end when it is told to
	startWait  = 30 * time.Second // for a server to answer
	peakPeriod = 20 * time.Millisecond
	idlePeriod = 300 * time.Millisecond
	idleWait   = 30 * time.Second
)

// output runs a program to its end and returns what it prints; what it
// complains about is part of the error.
func output(cmd *exec.Cmd) ([]byte, error) {
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	printed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, bytes.TrimSpace(complaints.Bytes()))
	}
	return printed, nil
}

// gently makes a program end by SIGTERM when its context does, and by SIGKILL
// when it does not heed it.
func gently(cmd *exec.Cmd) *exec.Cmd {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopWait
	return cmd
}

// program is a contender that works once through all pictures and ends:
//
//	program ROUNDS THREADS file...
//
// prints {"pictures":N,"seconds":S}, which leaves out its own start.
type program struct {
	command []string
	threads int
	set     photographs
}

// round implements contender.
func (p program) round(ctx context.Context) (measurement, error) {
	args := append(p.command[1:len(p.command):len(p.command)], strconv.Itoa(p.set.repeats), strconv.Itoa(p.threads))
	cmd := gently(exec.CommandContext(ctx, p.command[0], append(args, p.set.paths...)...))
	var printed, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &complaints
	if err := cmd.Start(); err != nil {
		return measurement{}, err
	}
	ended, highest := make(chan struct{}), make(chan float64)
	go func() { highest <- watchPeak(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	close(ended)
	peak := <-highest
	if err != nil {
		return measurement{}, fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, bytes.TrimSpace(complaints.Bytes()))
	}
	var line struct{ Pictures, Seconds float64 }
	if err := json.Unmarshal(printed.Bytes(), &line); err != nil || line.Pictures != float64(p.set.count()) || line.Seconds <= 0 {
		return measurement{}, fmt.Errorf("%s did not do %d pictures: it printed %.100q", filepath.Base(cmd.Path), p.set.count(), printed.String())
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return measured(p.set.count(), line.Seconds, used.Seconds(), peak), nil
}

// Close implements contender.
func (p program) Close() error { return nil }

// processorOf is how many seconds of a processor a running process has used;
// 0 where the system does not tell.
func processorOf(pid int) float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// After the name, which may hold anything: proc_pid_stat(5).
	const user, system, ticks = 11, 12, 100
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var used float64
	for _, i := range []int{user, system} {
		if i >= len(fields) {
			return 0
		}
		count, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return 0
		}
		used += count / ticks
	}
	return used
}

// untilIdle waits until a process does nothing for some time.
func untilIdle(ctx context.Context, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, idleWait)
	defer cancel()
	ticker := time.NewTicker(idlePeriod)
	defer ticker.Stop()
	for before := -1.; ; {
		used := processorOf(pid)
		if used == before {
			return nil
		}
		before = used
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until the process is idle: %w", context.Cause(ctx))
		}
	}
}

// peakOf is the most memory that a running process has held, in MB; 0 where
// the system does not tell. It is the process's own, while the ru_maxrss that
// a process sees of itself is at least that of the program that started it.
func peakOf(pid int) float64 { return memoryOf(pid, "VmHWM:") }

// residentOf is the memory that a running process holds, in MB; 0 where the
// system does not tell.
func residentOf(pid int) float64 { return memoryOf(pid, "VmRSS:") }

// ownOf is what of it is not a file that the system could read again, such as
// the program itself.
func ownOf(pid int) float64 { return memoryOf(pid, "RssAnon:") }

// memoryOf reads a field of proc_pid_status(5) that is in kB.
func memoryOf(pid int, field string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), field)
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		return 0
	}
	return kb / 1024
}

// watchPeak follows a process to its end.
func watchPeak(pid int, ended <-chan struct{}) float64 {
	ticker := time.NewTicker(peakPeriod)
	defer ticker.Stop()
	var peak float64
	for {
		select {
		case <-ended:
			return peak
		case <-ticker.C:
			peak = max(peak, peakOf(pid))
		}
	}
}

// server is a program that runs until it is stopped.
type server struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // once ended is closed
}

// startServer starts a program. What it prints on its standard error goes to
// log; nil drops it.
func startServer(ctx context.Context, log io.Writer, environment []string, path string, args ...string) (*server, error) {
	s := &server{cmd: gently(exec.CommandContext(ctx, path, args...)), ended: make(chan struct{})}
	s.cmd.Env, s.cmd.Stderr = append(os.Environ(), environment...), log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	return s, nil
}

// await asks again and again until the server is ready.
func (s *server) await(ctx context.Context, ready func() bool) error {
	return s.awaitEvery(ctx, peakPeriod, ready)
}

// awaitEvery is await that asks more or less often.
func (s *server) awaitEvery(ctx context.Context, period time.Duration, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for !ready() {
		select {
		case <-time.After(period):
		case <-s.ended:
			return fmt.Errorf("%s ended instead of starting: %w", filepath.Base(s.cmd.Path), s.err)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", filepath.Base(s.cmd.Path), context.Cause(ctx))
		}
	}
	return nil
}

// Close stops the server and waits for its end.
func (s *server) Close() error {
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case <-s.ended:
	case <-time.After(stopWait):
		err = errors.Join(err, s.cmd.Process.Kill())
		<-s.ended
	}
	return err
}

package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain runs the test binary as a task when a job says so: command = <this binary>, args = ["task", <mode>, …].
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "task" {
		syscall.Exit(taskMain(os.Args[2], os.Args[3:])) // os.Exit of a race build sleeps for a second
	}
	os.Setenv("AWS_SECRET_ACCESS_KEY", "must-not-leak")
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if left := children(); code == 0 && left != "" {
			fmt.Fprintln(os.Stderr, "processes are left behind:", left)
			code = 1
		}
		os.Exit(code)
	}))
}

func taskMain(mode string, args []string) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	switch mode {
	case "env", "env-wait":
		text, _ := json.Marshal(map[string][]string{"env": os.Environ(), "args": args})
		fmt.Println(string(text))
		if mode == "env-wait" {
			<-stop
		}
	case "exit":
		fmt.Fprintln(os.Stderr, "about to exit with", args[0])
		code, _ := strconv.Atoi(args[0])
		return code
	case "wait":
		notified := make(chan os.Signal, 1)
		signal.Notify(notified, syscall.SIGUSR1)
		fmt.Println("waiting")
		for {
			select {
			case <-notified:
				fmt.Println("notified")
				if len(args) > 0 && args[0] == "until notified" {
					return 0
				}
			case <-stop:
				return 0
			}
		}
	case "stubborn":
		fmt.Println("ready")
		for range stop {
			fmt.Println("refused")
		}
	case "parent":
		child := exec.Command(os.Args[0], "task", "stubborn")
		if err := child.Start(); err != nil {
			return 1
		}
		fmt.Println(child.Process.Pid)
		<-stop
	case "print":
		lines, _ := strconv.Atoi(args[0])
		for i := range lines {
			fmt.Printf("%0127d\n", i)
		}
	case "serve", "serve-once":
		return serve(args[0], mode == "serve-once", stop)
	case "owner":
		return ownerMain(args[0])
	default:
		fmt.Fprintln(os.Stderr, "unknown mode", mode)
		return 2
	}
	return 0
}

// serve answers /health until it is told to stop; with sick it answers well once, and only in its first life.
func serve(address string, sick bool, stop <-chan os.Signal) int {
	marker := filepath.Join(os.Getenv("NOMAD_ALLOC_DIR"), "data", "served")
	_, err := os.Stat(marker)
	sick = sick && err != nil
	answered := 0
	go http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answered++; sick && answered > 1 {
			os.WriteFile(marker, nil, 0o600)
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	<-stop
	return 0
}

// ownerMain owns a Nomad with a task and its child, says who they are, and waits to be killed.
func ownerMain(dir string) int {
	n, err := New(Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	text, err := os.ReadFile(filepath.Join("testdata", "task.nomad.hcl"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var pids []int
	for i := range 3 {
		variables := map[string]string{"program": os.Args[0], "mode": "parent", "id": strconv.Itoa(i)}
		job, err := ParseJob("task.nomad.hcl", text, variables)
		if err == nil {
			err = n.Register(context.Background(), job)
		}
		if err == nil {
			err = n.WaitHealthy(context.Background(), strconv.Itoa(i))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	for _, a := range n.Allocations() {
		pids = append(pids, a.Tasks[0].PID)
		for child := 0; child == 0; {
			out, _ := os.ReadFile(filepath.Join(a.Dir, "alloc", "logs", "t.stdout.0"))
			child, _ = strconv.Atoi(string(bytes.TrimSpace(out)))
			if child != 0 {
				pids = append(pids, child)
			}
		}
	}
	text, _ = json.Marshal(append(pids, n.processes.Watchdog()))
	fmt.Println(string(text))
	select {}
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

// children lists the processes that this one has started and that run.
func children() string {
	files, _ := filepath.Glob("/proc/self/task/*/children")
	var all []string
	for _, file := range files {
		text, _ := os.ReadFile(file)
		all = append(all, strings.Fields(string(text))...)
	}
	return strings.Join(all, " ")
}

// patience bounds what tests wait for, on a machine that is busy.
const patience = time.Minute

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, 5*time.Millisecond, what)
}

func start(t *testing.T, o Options) *Nomad {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	n, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// parse reads a job file of testdata; settings are name, value, name, value.
func parse(t *testing.T, file string, settings ...string) *api.Job {
	t.Helper()
	path := filepath.Join("testdata", file+".nomad.hcl")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	variables := map[string]string{"program": program, "no-file-declares-this": "x"}
	for i := 0; i < len(settings); i += 2 {
		variables[settings[i]] = settings[i+1]
	}
	job, err := ParseJob(path, text, variables)
	require.NoError(t, err)
	return job
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// last returns the newest allocation of a job.
func last(t *testing.T, n *Nomad, jobID string) Allocation {
	t.Helper()
	var found Allocation
	for _, a := range n.Allocations() {
		if a.JobID == jobID {
			found = a
		}
	}
	require.NotEmpty(t, found.ID, "no allocation of %s", jobID)
	return found
}

func dead(n *Nomad, t *testing.T, jobID string) func() bool {
	return func() bool { return last(t, n, jobID).Tasks[0].State == taskDead }
}

func stdout(t *testing.T, a Allocation, task string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.Dir, "alloc", "logs", task+".stdout.0"))
	if os.IsNotExist(err) {
		return ""
	}
	require.NoError(t, err)
	return string(text)
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/uploads"
	"github.com/drydock/drydock/operate/demo"
)

// tasksUp are the tasks that up runs; each is in a job of its name.
var tasksUp = []string{"alerts", "deadletters", "filter", "images", "mailer", "quotes", "uploads", "webhooks"}

func TestUpAndItsEnd(t *testing.T) {
	t.Parallel()
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		c := startProgram(t, "up", "--ephemeral", freePorts)
		at, tasks := c.waitUp(), c.children()
		checkServes(t, at)
		c.endsWell(syscall.SIGINT, tasks)
		assert.Empty(t, c.stderr.String())
	})
	t.Run("terminated", func(t *testing.T) {
		t.Parallel()
		c := startProgram(t, "up", "--ephemeral", "--verbose", freePorts)
		c.waitUp()
		c.endsWell(syscall.SIGTERM, c.children())
		for _, task := range tasksUp {
			assert.Regexp(t, task+`.*"msg":"started"`, c.stderr.String(), "what tasks print is shown")
		}
	})
	t.Run("interrupted on its way up", func(t *testing.T) {
		t.Parallel()
		c := startProgram(t, "up", "--ephemeral", freePorts)
		poll(t, upWithin, func() bool { return len(c.left()) > 0 })
		require.NoError(t, c.cmd.Process.Signal(syscall.SIGINT))
		assert.Equal(t, 0, c.wait(), "exit status")
		assert.Empty(t, c.left())
		assert.Empty(t, c.stderr.String())
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		c := startProgram(t, "up", "--ephemeral", freePorts)
		c.waitUp()
		tasks := c.children()
		require.NoError(t, c.cmd.Process.Kill())
		requireGone(t, tasks, 5*time.Second)

		next := newChild(t, "up", "--ephemeral", freePorts)
		next.temp, next.cmd.Env = c.temp, c.cmd.Env
		next.start()
		next.waitUp()
		require.NoError(t, next.cmd.Process.Signal(syscall.SIGTERM))
		assert.Equal(t, 0, next.wait(), "exit status")
		folders, err := filepath.Glob(filepath.Join(c.temp, "drydock-[0-9]*"))
		require.NoError(t, err)
		assert.Empty(t, folders, "the next one removes what the killed one left")
	})
}

// checkServes checks that what up has printed answers.
func checkServes(t *testing.T, at map[string]string) {
	t.Helper()
	assert.Contains(t, string(fetch(t, at["page"])), "<title>Drydock</title>")
	assert.Contains(t, string(fetch(t, at["API"])), "Drydock uploads")
	var described struct{ OpenAPI string }
	fetchJSON(t, at["page"]+"openapi.json", &described)
	assert.Regexp(t, `^3\.1\.`, described.OpenAPI)
	for _, task := range tasksUp {
		task += "." + task + "[0]"
		assert.Equal(t, "ready\n", string(fetch(t, at[task]+"/health/ready")))
	}
}

// endsWell sends a signal, and checks that the program ends and leaves nothing.
func (c *child) endsWell(s syscall.Signal, tasks []int) {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Signal(s))
	assert.Equal(c.t, 0, c.wait(), "exit status")
	requireGone(c.t, tasks, 0)
	assert.Empty(c.t, c.left(), "left in the folder for temporary files")
	assert.Regexp(c.t, `no state is kept\.\n\nStopping[^\n]+\nStopped\.\n$`, c.stdout.String())
}

func TestUpSaysWhoHasAPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	holder := "another program"
	if runtime.GOOS == "linux" {
		self, err := os.Executable()
		require.NoError(t, err)
		holder = fmt.Sprintf("%s (pid %d)", filepath.Base(self), os.Getpid())
	}
	for part := range defaultPorts {
		c := startProgram(t, "up", "--ephemeral", freePorts, "--port", fmt.Sprintf("%s=%d", part, port))
		assert.Equal(t, fmt.Sprintf("drydock: port %d for %s is taken by %s: stop it, or choose another port with --port %s=0, or for all with --free-ports\n", port, part, holder, part), c.fails())
		assert.Empty(t, c.left())
	}
}

func TestUpTakesAFolderOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startProgram(t, "up", "--dir", dir, freePorts)
	at := first.waitUp()
	second := startProgram(t, "up", "--dir", dir, freePorts, "--port", "inbox="+port(t, at["inbox"]))
	assert.Equal(t, fmt.Sprintf("drydock: folder %s is in use by another stack (pid %d): stop it, or choose another folder with --dir\n", dir, first.cmd.Process.Pid), second.fails())
	checkServes(t, at)
}

// port is that of a URL.
func port(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Port()
}

func TestUpKeepsItsState(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	first := startProgram(t, "up", "--dir", dir, freePorts)
	sender := startProgram(t, "demo", "--json", "--api", strings.TrimSuffix(first.waitUp()["page"], "/"), filepath.Dir(photographFiles(t, 2)[0]))
	require.Equal(t, 0, sender.wait(), sender.stderr.String())
	var sent demo.Report
	require.NoError(t, json.Unmarshal([]byte(sender.stdout.String()), &sent))
	require.NoError(t, first.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 0, first.wait())

	second := startProgram(t, "up", "--dir", dir, freePorts)
	var listed uploads.Page
	fetchJSON(t, second.waitUp()["page"]+"v1/uploads", &listed)
	require.Len(t, listed.Uploads, len(sent.Files))
	for _, upload := range listed.Uploads {
		require.True(t, slices.ContainsFunc(sent.Files, func(f demo.File) bool { return f.ID == upload.ID }))
		assert.EqualValues(t, "processed", upload.Status)
		assert.Len(t, fetch(t, upload.Original.URL), int(*upload.Size))
		require.Len(t, upload.Variants, 3)
		for _, variant := range upload.Variants {
			assert.Len(t, fetch(t, variant.URL), int(variant.Size))
		}
	}
}

func TestUpRefusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	jobs := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.Mkdir(path, 0o755))
		if text != "" {
			writeFile(t, path, "own.nomad.hcl", []byte(text))
		}
		return path
	}
	const missing = `job "own" {
  group "own" {
    task "own" {
      driver = "raw_exec"
      config { command = "drydock-absent" }
    }
  }
}`
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"--jobs", filepath.Join(folder, "none")}, `^drydock: --jobs \S+: there is no such folder$`},
		{[]string{"--jobs", jobs("empty", "")}, `^drydock: --jobs \S+: there is no job file \*\.nomad\.hcl in it$`},
		{[]string{"--jobs", jobs("broken", `job "own" {`)}, `^drydock: .*own\.nomad\.hcl`},
		{[]string{"--jobs", jobs("missing", missing)}, `^drydock: .*"own": .*task "own": .*Driver Failure: .*"drydock-absent" could not be found`},
		{[]string{"--market-data", writeFile(t, folder, "prices.csv", []byte("date,close\n2026-01-02,much\n"))}, `^drydock: .*prices\.csv line 2 column "close": "much" is not a price`},
		{[]string{"--port", "uploads=70000"}, `^drydock: --port uploads=70000 is not a port: it takes a number from 0 to 65535$`},
		{[]string{"--port", "uploads=x"}, `^drydock: --port uploads=x is not a port: it takes a number from 0 to 65535$`},
		{[]string{"--port", "8080"}, `^drydock: --port 8080 names no port: it takes one as uploads=8080$`},
		{[]string{"--port", "objects=4222,events=4222"}, `^drydock: events and objects are both on port 4222: choose another with --port$`},
		{[]string{"--port", "evnts=4222"}, `^drydock: .*a port is given for "evnts", which is neither a part \(objects, events`},
	} {
		c := startProgram(t, append([]string{"up", "--ephemeral", freePorts}, test.args...)...)
		said := strings.TrimSuffix(c.fails(), "\n")
		assert.Regexp(t, test.says, said)
		assert.NotContains(t, said, "\n\n", "one paragraph")
		assert.Empty(t, c.left())
	}
}

func TestRoleNamesTheVariableThatIsWrong(t *testing.T) {
	t.Parallel()
	const bus, objects = "DRYDOCK_BUS=nats://127.0.0.1:4222", "DRYDOCK_OBJECTS=s3+http://127.0.0.1:9000/uploads"
	for _, test := range []struct {
		env  []string
		says string
	}{
		{nil, "DRYDOCK_OBJECTS is not set: it takes s3+http://"},
		{[]string{objects}, "DRYDOCK_BUS is not set: it takes nats://"},
		{[]string{bus, "DRYDOCK_OBJECTS=ftp://127.0.0.1/uploads"}, "DRYDOCK_OBJECTS=ftp://127.0.0.1/uploads is not of a known kind: it takes s3+http://"},
		{[]string{objects, "DRYDOCK_BUS=http://me:password@127.0.0.1"}, "DRYDOCK_BUS=http://me:xxxxx@127.0.0.1 is not of a known kind: it takes nats://"},
	} {
		c := newChild(t, "uploads")
		c.cmd.Env = append([]string{}, test.env...) // not this process's own
		c.start()
		said := c.fails()
		assert.Contains(t, said, "drydock: "+test.says)
		assert.Equal(t, 1, strings.Count(said, "\n"), said)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for args, says := range map[string]string{
		"--version":       `^drydock version \S+\n$`,
		"completion bash": `(?s)^# bash completion .*__start_drydock`,
		"":                `(?s)Examples:\n  drydock up .*  drydock demo ~/Pictures.*  drydock demo alerts`,
		"--help":          `(?s)Examples:\n  drydock up .*  drydock demo ~/Pictures.*  drydock demo alerts`,
		"up --help":       `(?s)Examples:\n  drydock up\n.*--port .*events=4222`,
		"demo --help":     `(?s)Examples:\n  drydock demo\n.*--concurrency`,
		"uploads --help":  `(?s)DRYDOCK_OBJECTS.*Examples:\n  DRYDOCK_BUS=`,
	} {
		c := startProgram(t, strings.Fields(args)...)
		assert.Equal(t, 0, c.wait(), args)
		assert.Regexp(t, says, c.stdout.String(), args)
		assert.Empty(t, c.stderr.String(), args)
	}
	for args, says := range map[string]string{
		"launch":     `^drydock: unknown command "launch" for "drydock"\n$`,
		"up --speed": `^drydock: unknown flag: --speed\n$`,
		"up here":    `^drydock: unknown command "here" for "drydock up"\n$`,
	} {
		assert.Regexp(t, says, startProgram(t, strings.Fields(args)...).fails(), args)
	}
}

// freePorts has up pick free ports.
const freePorts = "--free-ports"

// child is the real program in a process of its own, as people start it. It
// ends with the test.
type child struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr output
	ended          chan struct{}
	temp           string // its folder for temporary files
}

// output collects what a program prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(data)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func newChild(t *testing.T, args ...string) *child {
	t.Helper()
	c := &child{t: t, ended: make(chan struct{}), temp: t.TempDir()}
	c.cmd = exec.Command(filepath.Join(programs(t), "drydock"), args...)
	c.cmd.Dir = t.TempDir()
	c.cmd.Env = append(os.Environ(), "TMPDIR="+c.temp)
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	return c
}

func startProgram(t *testing.T, args ...string) *child {
	t.Helper()
	c := newChild(t, args...)
	c.start()
	return c
}

func (c *child) start() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Start())
	go func() {
		defer close(c.ended)
		_ = c.cmd.Wait() // how it ended is in ProcessState
	}()
	c.t.Cleanup(func() {
		_ = c.cmd.Process.Kill() // mostly it has ended
		<-c.ended
	})
}

// wait waits for the program's end and returns its exit status.
func (c *child) wait() int {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(waitFor):
		require.Fail(c.t, "it goes on", "%v printed:\n%s\n%s", c.cmd.Args, &c.stdout, &c.stderr)
	}
	return c.cmd.ProcessState.ExitCode()
}

// fails checks that the program fails, and returns what it says about that.
func (c *child) fails() string {
	c.t.Helper()
	assert.Equal(c.t, 1, c.wait(), "exit status of %v", c.cmd.Args)
	assert.Empty(c.t, c.stdout.String())
	return c.stderr.String()
}

// upWithin is how long people wait for the stack at most.
const upWithin = 3 * time.Minute

var printedAddress = regexp.MustCompile(`(?m)^  (\S+) +((?:http|nats)://\S+)`)

// waitUp waits until up is up, and returns the addresses that it prints, by name.
func (c *child) waitUp() map[string]string {
	c.t.Helper()
	began := time.Now()
	poll(c.t, upWithin, func() bool {
		select {
		case <-c.ended:
			require.Fail(c.t, "it has ended", "%s\n%s", &c.stdout, &c.stderr)
		default:
		}
		return strings.Contains(c.stdout.String(), "Ctrl-C stops everything")
	})
	c.t.Logf("up after %v", time.Since(began).Round(time.Millisecond))
	at := map[string]string{}
	for _, match := range printedAddress.FindAllStringSubmatch(c.stdout.String(), -1) {
		at[match[1]] = match[2]
	}
	require.Len(c.t, at, 9+len(tasksUp), &c.stdout)
	return at
}

// left lists what the program has left in its folder for temporary files. The
// locks of ports are shared by all that run, and gone as well.
func (c *child) left() (names []string) {
	c.t.Helper()
	require.NoError(c.t, filepath.WalkDir(c.temp, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err == nil && path != c.temp && !strings.HasPrefix(entry.Name(), "drydock-ports-") {
			names = append(names, path)
		}
		return err
	}))
	return names
}

// children are the processes that the program has started: the tasks and
// the watchdog that ends them when nobody else can.
func (c *child) children() (found []int) {
	c.t.Helper()
	for pid, parent := range processes(c.t) {
		if parent == c.cmd.Process.Pid {
			found = append(found, pid)
		}
	}
	require.Len(c.t, found, len(tasksUp)+1)
	return found
}

func requireGone(t *testing.T, pids []int, within time.Duration) {
	t.Helper()
	poll(t, within, func() bool {
		running := processes(t)
		return !slices.ContainsFunc(pids, func(pid int) bool { return running[pid] != 0 })
	})
}

// processes are the running processes with their parents. One that has ended
// is none, even if its parent has not taken notice.
func processes(t *testing.T) map[int]int {
	t.Helper()
	parents := map[int]int{}
	for line := range strings.Lines(listProcesses(t)) {
		var pid, parent int
		var state string
		_, err := fmt.Sscan(line, &pid, &state, &parent)
		require.NoError(t, err, line)
		if !strings.HasPrefix(state, "Z") {
			parents[pid] = parent
		}
	}
	return parents
}

// listProcesses returns a line per process: its id, state and parent. The
// program ps, which does the same, is not part of every Linux.
func listProcesses(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		text, err := exec.Command("ps", "-A", "-o", "pid=,stat=,ppid=").Output()
		require.NoError(t, err)
		return string(text)
	}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	var lines strings.Builder
	for _, file := range files {
		// A process may end meanwhile. Its name, in brackets, may hold anything.
		if text, err := os.ReadFile(file); err == nil {
			fields := string(text[bytes.LastIndexByte(text, ')')+1:])
			fmt.Fprintf(&lines, "%s %s\n", strings.Split(file, "/")[2], strings.TrimSpace(fields))
		}
	}
	return lines.String()
}

// poll tries until it holds; once at least.
func poll(t *testing.T, within time.Duration, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(within)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			require.Fail(t, "waited in vain", "for %v", within)
		}
	}
}

// fetch gets what is at an address.
func fetch(t *testing.T, address string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(deadline(t), http.MethodGet, address, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s: %s", address, data)
	return data
}

func fetchJSON(t *testing.T, address string, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(fetch(t, address), into))
}

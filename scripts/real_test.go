// Package scripts tests the scripts of this folder. There is nothing in it to
// import.
package scripts

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// within bounds whatever a test waits for, on a busy machine.
const within = time.Minute

// needed are the system's programs that real.sh uses. Nothing else is on its
// PATH in a test, so that what the machine has does not matter.
var needed = []string{"awk", "bash", "cat", "chmod", "cksum", "cp", "df", "dirname", "env", "flock", "grep", "head", "ln", "mkdir", "mv", "paste", "perl", "readlink", "rm", "sleep", "tr"}

// fakeGo builds a program by taking the one of that name from the folder
// programs. It notes its process in the file builds, goes on for as long as
// there is a file hold, and fails with what is in the file complaint.
const fakeGo = `#!/usr/bin/env bash
set -eu
if [ "$1" = env ]; then
  echo "$FAKE/modules"
  exit
fi
echo $$ >>"$FAKE/builds"
output=$5
echo half >"$output"
while [ -e "$FAKE/hold" ]; do sleep 0.05; done
if [ -e "$FAKE/complaint" ]; then
  cat "$FAKE/complaint" >&2
  exit 1
fi
cp "$FAKE/programs/${output##*/}" "$output"
chmod +x "$output"
`

// sandbox is a machine of its own as far as real.sh can see.
type sandbox struct {
	t                *testing.T
	dir, bin, caches string
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	dir := t.TempDir()
	s := &sandbox{t: t, dir: dir, bin: filepath.Join(dir, "bin"), caches: filepath.Join(dir, "caches")}
	require.NoError(t, os.Mkdir(s.bin, 0o755))
	for _, name := range needed {
		if path, err := exec.LookPath(name); err == nil {
			require.NoError(t, os.Symlink(path, filepath.Join(s.bin, name)))
		}
	}
	s.write("bin/go", fakeGo)
	for _, name := range []string{"consul", "nomad", "minio", "mc", "nats-server"} {
		s.program("programs/"+name, fitting(t, name))
	}
	return s
}

// write writes an executable file.
func (s *sandbox) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(s.t, os.WriteFile(path, []byte(content), 0o755))
}

// program writes a program that says its version, and nothing else.
func (s *sandbox) program(name, version string) {
	s.t.Helper()
	s.write(name, "#!/usr/bin/env bash\necho '"+version+"'\n")
}

// pinned is the version that scripts/tools has of a program.
func pinned(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("tools", name, "go.mod"))
	require.NoError(t, err)
	tool := regexp.MustCompile(`(?m)^tool (\S+)$`).FindSubmatch(content)
	require.NotNil(t, tool, "%s: no line \"tool\"", name)
	version := regexp.MustCompile(`(?m)^(?:require|\t)\s*` + regexp.QuoteMeta(string(tool[1])) + ` (\S+)`).FindSubmatch(content)
	require.NotNil(t, version, "%s: no version", name)
	return string(version[1])
}

// fitting is what a program says whose version is the pinned one.
func fitting(t *testing.T, name string) string {
	t.Helper()
	says := map[string]string{"consul": "Consul ", "nomad": "Nomad ", "nats-server": "nats-server: ", "minio": "minio version ", "mc": "mc version "}
	return says[name] + pinned(t, name) + "\nRevision none"
}

// cached is where a built program is kept.
func (s *sandbox) cached(name string) string {
	s.t.Helper()
	return filepath.Join(s.caches, "drydock", name+"-"+pinned(s.t, name))
}

// builds are the processes that have built so far.
func (s *sandbox) builds() []string {
	content, err := os.ReadFile(filepath.Join(s.dir, "builds"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(content))
}

// run is real.sh on its way.
type run struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr buffer
}

// buffer can be read while it is written.
type buffer struct {
	mu      sync.Mutex
	content bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}

func (s *sandbox) start(args ...string) *run {
	s.t.Helper()
	script, err := filepath.Abs("real.sh")
	require.NoError(s.t, err)
	r := &run{t: s.t, cmd: exec.Command(script, args...)}
	r.cmd.Dir = s.dir
	r.cmd.Env = []string{"PATH=" + s.bin, "HOME=" + s.dir, "XDG_CACHE_HOME=" + s.caches, "FAKE=" + s.dir}
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	require.NoError(s.t, r.cmd.Start())
	return r
}

// wait waits for the end, and returns the exit code.
func (r *run) wait() int {
	r.t.Helper()
	late := time.AfterFunc(within, func() { r.cmd.Process.Kill() })
	defer late.Stop()
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(r.t, err)
	}
	return r.cmd.ProcessState.ExitCode()
}

// succeed runs real.sh, and returns what it prints and says.
func (s *sandbox) succeed(args ...string) (printed, said string) {
	s.t.Helper()
	r := s.start(args...)
	require.Zero(s.t, r.wait(), "real.sh %v: %s", args, &r.stderr)
	return strings.TrimSpace(r.stdout.String()), r.stderr.String()
}

// fail runs real.sh, which has to fail, and returns its last line; nothing half-made is left.
func (s *sandbox) fail(args ...string) string {
	s.t.Helper()
	r := s.start(args...)
	require.Equal(s.t, 1, r.wait(), "real.sh %v: %s", args, &r.stderr)
	require.Empty(s.t, r.stdout.String())
	s.nothingHalfMade()
	lines := strings.Split(strings.TrimSpace(r.stderr.String()), "\n")
	return lines[len(lines)-1]
}

func (s *sandbox) nothingHalfMade() {
	s.t.Helper()
	half, err := filepath.Glob(filepath.Join(s.caches, "drydock", "*.new"))
	require.NoError(s.t, err)
	require.Empty(s.t, half)
}

func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	require.Eventually(t, happened, within, 10*time.Millisecond, what)
}

func TestWhatIsMissingIsBuiltOnce(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	printed, said := s.succeed("nomad")
	assert.Equal(t, s.cached("nomad"), printed)
	assert.Contains(t, said, "building nomad "+pinned(t, "nomad"))
	assert.Contains(t, said, "kept in "+filepath.Join(s.caches, "drydock"))
	printed, said = s.succeed("nomad")
	assert.Equal(t, s.cached("nomad"), printed)
	assert.Empty(t, said, "it is all there")
	assert.Len(t, s.builds(), 1)
	s.nothingHalfMade()
}

func TestAFittingOneOnThePATHIsTaken(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.program("bin/consul", fitting(t, "consul"))
	printed, said := s.succeed("consul")
	assert.Equal(t, filepath.Join(s.bin, "consul"), printed)
	assert.Empty(t, said)
	assert.Empty(t, s.builds())
}

func TestAWrongOneOnThePATHIsSaidOnce(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]string{"nomad": "Nomad v1.9.3", "mc": "GNU Midnight Commander 4.8.29", "nats-server": "nats-server: v2.10.1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.program("bin/"+name, version)
			printed, said := s.succeed(name)
			assert.Equal(t, s.cached(name), printed)
			assert.Contains(t, said, filepath.Join(s.bin, name)+` is "`+version+`", and what is wanted is "`)
			printed, said = s.succeed(name)
			assert.Equal(t, s.cached(name), printed)
			assert.Empty(t, said)
		})
	}
}

func TestOneFolderHasThemAll(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.program("postgres/postgres", "postgres (PostgreSQL) 15.18")
	s.program("postgres/initdb", "initdb (PostgreSQL) 15.18")
	require.NoError(t, os.Symlink(filepath.Join(s.dir, "postgres", "postgres"), filepath.Join(s.bin, "postgres")))
	s.program("bin/nomad", fitting(t, "nomad"))

	folder, said := s.succeed("path")
	assert.Contains(t, said, "(1 of 4)")
	assert.Contains(t, said, "(4 of 4)")
	all := []string{"consul", "nomad", "minio", "mc", "nats-server", "postgres", "initdb"}
	for _, name := range all {
		require.FileExists(t, filepath.Join(folder, name))
		require.NoError(t, exec.Command(filepath.Join(folder, name)).Run())
	}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, entries, len(all))

	require.NoError(t, os.Remove(filepath.Join(folder, "mc")))
	s.bin = folder + ":" + s.bin
	again, said := s.succeed("path")
	assert.Equal(t, folder, again, "the folder is on the PATH now, which changes nothing")
	assert.Empty(t, said)
	assert.FileExists(t, filepath.Join(folder, "mc"))
}

func TestTheListSaysWhereEachIs(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.program("bin/minio", fitting(t, "minio"))
	printed, said := s.succeed("list")
	assert.Regexp(t, `(?m)^consul +Consul v\d+\.\d+\.… +missing$`, printed)
	assert.Regexp(t, `(?m)^minio .* `+regexp.QuoteMeta(filepath.Join(s.bin, "minio"))+`$`, printed)
	assert.Empty(t, said)
	assert.Empty(t, s.builds())
}

func TestWithoutGo(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	require.NoError(t, os.Remove(filepath.Join(s.bin, "go")))
	assert.Contains(t, s.fail("nomad"), "Go is missing, which builds nomad: install it from https://go.dev/dl, or put nomad on the PATH")
}

func TestAFailingBuildIsOneLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ complaint, line string }{
		"no network": {
			"go: downloading example.org/a v1.0.0\nx.go:3:2: example.org/a@v1.0.0: Get \"https://modules.example.org/a\": dial tcp: lookup modules.example.org: no such host\n",
			"the first build needs the network, or a Go proxy in GOPROXY: x.go:3:2: example.org/a@v1.0.0",
		},
		"disk full":    {"# example.org/a\nmkdir /tmp/x: no space left on device\n", "the disk is full: free some space, or set XDG_CACHE_HOME"},
		"no memory":    {"example.org/a: /usr/local/go/compile: signal: killed\n", "set GOFLAGS=-p=1"},
		"anything":     {"go: downloading example.org/a v1.0.0\n# example.org/a\na.go:1:1: undefined: b\n", "a.go:1:1: undefined: b"},
		"said nothing": {"", "go build said nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.write("complaint", c.complaint)
			line := s.fail("minio")
			assert.Contains(t, line, "minio "+pinned(t, "minio")+" could not be built: ")
			assert.Contains(t, line, c.line)
			assert.FileExists(t, s.cached("minio")+".log")
			require.NoError(t, os.Remove(filepath.Join(s.dir, "complaint")))
			s.succeed("minio")
			assert.NoFileExists(t, s.cached("minio")+".log")
		})
	}
}

func TestTooLittleSpace(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	require.NoError(t, os.Remove(filepath.Join(s.bin, "df")))
	s.write("bin/df", "#!/usr/bin/env bash\nprintf 'Filesystem 1024-blocks Used Available Capacity Mounted on\\nmap auto home 9000000 8900000 102400 99%% /a b\\n'\n")
	assert.Contains(t, s.fail("nomad"), "too little space to build nomad: about 3300 MB are needed and 100 MB are free in "+s.caches)
	require.NoError(t, os.MkdirAll(filepath.Join(s.dir, "modules", "github.com", "hashicorp", "nomad@"+pinned(t, "nomad")), 0o755))
	assert.Contains(t, s.fail("nomad"), "about 1100 MB are needed", "the modules are there")
	assert.Empty(t, s.builds())
}

func TestACacheFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.write("caches", "a file")
	line := s.fail("nomad")
	assert.Contains(t, line, "cannot write to the cache folder "+filepath.Join(s.caches, "drydock"))
	assert.Contains(t, line, "set XDG_CACHE_HOME")
	assert.Empty(t, s.builds())
}

func TestWhatDoesNotRunIsBuiltAgain(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.write(strings.TrimPrefix(s.cached("nats-server"), s.dir), "\x7fELF cut off")
	s.succeed("nats-server")
	assert.Len(t, s.builds(), 1)

	s.write("programs/mc", "\x7fELF for another machine")
	assert.Contains(t, s.fail("mc"), "was built, and does not run: ")
	assert.NoFileExists(t, s.cached("mc"))
}

func TestStoppedInTheMiddleItLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, stop := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(stop.String(), func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(stop) {
				t.Skip("it is ignored here, as below nohup, and so by what is started here")
			}
			s := newSandbox(t)
			s.write("hold", "")
			r := s.start("consul")
			eventually(t, "a build", func() bool { return len(s.builds()) == 1 })
			require.NoError(t, r.cmd.Process.Signal(stop))
			assert.Equal(t, 128+int(stop), r.wait())
			s.nothingHalfMade()
			building, err := strconv.Atoi(s.builds()[0])
			require.NoError(t, err)
			assert.ErrorIs(t, syscall.Kill(building, 0), syscall.ESRCH, "the build ends too")
			assert.NoFileExists(t, s.cached("consul")+".log")

			require.NoError(t, os.Remove(filepath.Join(s.dir, "hold")))
			s.succeed("consul")
		})
	}
}

func TestAfterAKillTheNextOneBuilds(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.write("hold", "")
	killed := s.start("consul")
	eventually(t, "a build", func() bool { return len(s.builds()) == 1 })
	require.NoError(t, killed.cmd.Process.Kill())
	killed.wait()
	require.DirExists(t, s.cached("consul")+".new")

	// The build itself was not killed, and is waited for.
	next := s.start("consul")
	eventually(t, "waiting", func() bool { return strings.Contains(next.stderr.String(), "waiting for another") })
	require.NoError(t, os.Remove(filepath.Join(s.dir, "hold")))
	require.Zero(t, next.wait(), next.stderr.String())
	assert.Len(t, s.builds(), 2)
	s.nothingHalfMade()
}

func TestTwoAtOnceBuildOnce(t *testing.T) {
	t.Parallel()
	for locks, other := range map[string]string{"flock": "perl", "perl": "flock"} {
		t.Run(locks, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			if _, err := os.Stat(filepath.Join(s.bin, locks)); err != nil {
				t.Skipf("this system has no %s: %v", locks, err)
			}
			os.Remove(filepath.Join(s.bin, other)) // which there need not be
			s.write("hold", "")
			first := s.start("nomad")
			eventually(t, "a build", func() bool { return len(s.builds()) == 1 })
			second := s.start("nomad")
			eventually(t, "waiting", func() bool { return strings.Contains(second.stderr.String(), "waiting for another that builds nomad") })
			require.NoError(t, os.Remove(filepath.Join(s.dir, "hold")))
			for _, r := range []*run{first, second} {
				require.Zero(t, r.wait(), r.stderr.String())
				assert.Equal(t, s.cached("nomad")+"\n", r.stdout.String())
			}
			assert.Len(t, s.builds(), 1)
		})
	}
}

func TestAnythingElseIsAMistake(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	for _, args := range [][]string{nil, {"vault"}} {
		r := s.start(args...)
		assert.Equal(t, 2, r.wait())
		assert.Contains(t, r.stderr.String(), "usage: scripts/real.sh ")
	}
}

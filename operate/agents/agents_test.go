package agents_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/operate/agents"
)

const (
	behaviour = "DRYDOCK_TEST_BEHAVIOUR" // has this program be what a test runs
	grace     = time.Minute
)

// TestMain is the programs that the tests run, too.
func TestMain(m *testing.M) {
	switch os.Getenv(behaviour) {
	case "":
		os.Exit(m.Run())
	case "serve":
		serve()
	case "fail":
		fmt.Println("cannot open the state: the disk is full")
		os.Exit(1)
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		serve()
	case "parent":
		child := exec.Command(os.Args[0])
		child.Env = []string{behaviour + "=deaf", "DRYDOCK_TEST_ADDRESS=" + os.Getenv("DRYDOCK_TEST_ADDRESS")} // it drops the mark
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Run(); err != nil {
			os.Exit(1)
		}
	}
}

// serve says on the output that it listens, and then writes its address to a file.
func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		fmt.Println("listening")
		partial := os.Getenv("DRYDOCK_TEST_ADDRESS") + ".new"
		if err = os.WriteFile(partial, []byte(listener.Addr().String()), 0o600); err == nil {
			err = os.Rename(partial, os.Getenv("DRYDOCK_TEST_ADDRESS"))
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			os.Exit(1)
		}
		connection.Close()
	}
}

// agent is this program with a behaviour, which ends with the test.
func agent(t *testing.T, behaves string) agents.Agent {
	t.Helper()
	dir := t.TempDir()
	environment := append(agents.Environment(dir, os.Getenv("PATH")), behaviour+"="+behaves, "DRYDOCK_TEST_ADDRESS="+filepath.Join(dir, "address"))
	a := agents.Agent{Name: "fake", Dir: dir, Command: []string{os.Args[0]}, Environment: environment}
	t.Cleanup(func() {
		require.NoError(t, a.Kill(context.Background()))
		_, err := agents.EndLeft(context.Background(), dir, 0)
		require.NoError(t, err)
	})
	return a
}

// answers tells whether the program of serve does.
func answers(a agents.Agent) func(context.Context) error {
	return func(ctx context.Context) error {
		address, err := os.ReadFile(filepath.Join(a.Dir, "address"))
		if err != nil {
			return err
		}
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", string(address))
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, a agents.Agent) {
	t.Helper()
	require.NoError(t, a.Start())
	require.NoError(t, a.WaitReady(within(t), answers(a)))
}

func TestAnAgentRunsUntilItIsStopped(t *testing.T) {
	t.Parallel()
	a := agent(t, "serve")
	assert.Zero(t, a.PID())
	start(t, a)
	pid := a.PID()
	assert.NotZero(t, pid)
	session, _, err := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0)
	assert.Zero(t, err)
	assert.EqualValues(t, pid, session, "it must not end with this terminal")
	require.ErrorContains(t, a.Start(), fmt.Sprintf("it runs already, as process %d", pid))

	again := a // another program of the same stack finds it
	require.NoError(t, again.Stop(within(t), grace))
	assert.Zero(t, a.PID())
	require.Error(t, answers(a)(within(t)))
	require.NoError(t, again.Stop(within(t), grace))
}

func TestTheLogOfTheRunBeforeIsKept(t *testing.T) {
	t.Parallel()
	a := agent(t, "serve")
	for range 2 {
		start(t, a)
		require.NoError(t, a.Stop(within(t), grace))
	}
	for _, file := range []string{a.LogFile(), a.LogFile() + ".1"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "listening\n", string(text), file)
	}
}

func TestAnAgentStartsWithinAnotherProgram(t *testing.T) {
	t.Parallel()
	a := agent(t, "serve")
	a.Within = []string{"env", "WITHIN=yes"} // becomes what it starts, as `ip netns exec` does
	start(t, a)
	line, err := exec.Command("ps", "-p", strconv.Itoa(a.PID()), "-o", "command=").Output()
	require.NoError(t, err)
	assert.Contains(t, string(line), filepath.Base(os.Args[0]))
}

func TestWhatAnAgentSaidLastIsInTheError(t *testing.T) {
	t.Parallel()
	t.Run("it ends", func(t *testing.T) {
		t.Parallel()
		a := agent(t, "fail")
		require.NoError(t, a.Start())
		err := a.WaitReady(within(t), answers(a))
		require.ErrorContains(t, err, "wait for fake: it has ended; the end of "+a.LogFile()+":\n  cannot open the state: the disk is full")
	})
	t.Run("it is late", func(t *testing.T) {
		t.Parallel()
		a := agent(t, "serve")
		start(t, a)
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		err := a.WaitReady(ctx, func(context.Context) error { return errors.New("no leader") })
		require.ErrorContains(t, err, "it was not ready in time: no leader; the end of "+a.LogFile()+":\n  listening")
	})
	t.Run("nobody waits any more", func(t *testing.T) {
		t.Parallel()
		a := agent(t, "serve")
		start(t, a)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.ErrorIs(t, a.WaitReady(ctx, func(ctx context.Context) error { return ctx.Err() }), context.Canceled)
	})
}

func TestAProgramThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	a := agent(t, "")
	a.Command = []string{"/no/such/program"}
	require.ErrorContains(t, a.Start(), "start fake: fork/exec /no/such/program: no such file")
	assert.Zero(t, a.PID())
}

func TestOneThatDoesNotHeedIsKilled(t *testing.T) {
	t.Parallel()
	a := agent(t, "deaf")
	start(t, a)
	require.NoError(t, a.Stop(within(t), 50*time.Millisecond))
	assert.Zero(t, a.PID())
	require.Error(t, answers(a)(within(t)))
}

func TestTheNumberOfAnEndedProcessIsNobodys(t *testing.T) {
	t.Parallel()
	a := agent(t, "serve")
	start(t, a)
	file := filepath.Join(a.Dir, "fake.pid")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	other := a
	other.Name = "other"
	recorded := strings.Replace(strings.TrimSpace(string(text)), fmt.Sprint(a.PID()), fmt.Sprint(os.Getpid()), 1)
	require.NoError(t, os.WriteFile(filepath.Join(a.Dir, "other.pid"), []byte(recorded+"0\n"), 0o600))
	assert.Zero(t, other.PID(), "that process started at another time")
	require.NoError(t, other.Stop(within(t), grace)) // or this test is gone

	require.NoError(t, os.WriteFile(filepath.Join(a.Dir, "other.pid"), []byte("half"), 0o600))
	require.ErrorContains(t, other.Stop(within(t), grace), `other.pid, which says "half"`)
}

func TestWhatAKilledAgentLeavesIsFoundAndEnded(t *testing.T) {
	t.Parallel()
	a := agent(t, "parent")
	other := agent(t, "serve")
	start(t, a)
	start(t, other)
	left, err := agents.Left(a.Dir)
	require.NoError(t, err)
	assert.Len(t, left, 2, "the agent, and what it has started")
	ended, err := agents.EndLeft(within(t), a.Dir, 50*time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, 2, ended)
	require.Error(t, answers(a)(within(t)))
	assert.NotZero(t, other.PID(), "another stack's")

	left, err = agents.Left(a.Dir)
	require.NoError(t, err)
	assert.Empty(t, left)
	_, err = agents.Left("")
	require.ErrorContains(t, err, "that is no name for one")
}

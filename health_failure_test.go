package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/jobs"
)

// A role is ready while all that it depends on can be reached, and only then.
// It is live all the time, and is not started again.
func TestFailureRolesAreNotReadyWithoutWhatTheyDependOn(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	began := map[string][]int{}
	for _, role := range tasksUp {
		began[role] = stack.PIDs(role)
	}
	without := func(away ...string) {
		for _, role := range tasksUp {
			awaitReady(t, stack, role, !slices.Contains(away, role))
			assert.Equal(t, "live\n", string(fetch(t, stack.URL(role)+"/health/live")))
		}
	}
	without()
	require.NoError(t, stack.RestartNATS(func() { without(tasksUp...) }))
	without()
	require.NoError(t, stack.RestartS3(func() { without("images", "uploads") }))
	without()
	require.NoError(t, stack.Market.Close()) // alerts can do without: it tries rules there, and keeps them elsewhere
	without("quotes")
	require.NoError(t, stack.Mail.Close())
	without("mailer", "quotes")
	for _, role := range tasksUp {
		assert.Equal(t, began[role], stack.PIDs(role), "%s was started again", role)
	}
}

// awaitReady waits until a role is ready, or is not.
func awaitReady(t *testing.T, stack *emulator.Stack, role string, ready bool) {
	t.Helper()
	await(t, func(ctx context.Context) error {
		status, said, err := health(ctx, stack.URL(role))
		if err == nil && (status == http.StatusOK) != ready {
			err = fmt.Errorf("%s answers %d %s, and is to be ready: %v", role, status, said, ready)
		}
		return err
	})
}

// health is what a role says of its being ready.
func health(ctx context.Context, role string) (status int, said string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, role+"/health/ready", nil)
	if err != nil {
		return 0, "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// The grace before a process may be called hung, and how often it is asked, are
// shortened for the test.
func TestFailureARoleThatHangsIsStartedAgain(t *testing.T) {
	t.Parallel()
	const role = "deadletters"
	text, err := fs.ReadFile(jobs.Files, role+jobs.Extension)
	require.NoError(t, err)
	short := strings.NewReplacer(`grace = "45s"`, `grace = "1s"`, `interval = "5s"`, `interval = "1s"`, `timeout  = "3s"`, `timeout  = "1s"`).Replace(string(text))
	require.Contains(t, short, `grace = "1s"`)
	stack, err := emulator.Start(deadline(t), emulator.Options{
		Jobs: fstest.MapFS{role + jobs.Extension: {Data: []byte(short)}},
		Path: []string{programs(t)},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })

	hung := stack.PIDs(role)
	require.Len(t, hung, 1)
	require.NoError(t, syscall.Kill(hung[0], syscall.SIGSTOP))
	await(t, func(context.Context) error {
		if now := stack.PIDs(role); len(now) == 0 || now[0] == hung[0] {
			return errors.New("the process that hangs is still there")
		}
		return nil
	})
	awaitReady(t, stack, role, true)
}

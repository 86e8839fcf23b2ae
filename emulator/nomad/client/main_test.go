package client

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	os.Setenv("AWS_SECRET_ACCESS_KEY", "must-not-leak")
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if left := children(); code == 0 && left != "" {
			fmt.Fprintln(os.Stderr, "processes are left behind:", left)
			code = 1
		}
		os.Exit(code)
	}))
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

package client

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRotatingFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		writes []string
		want   map[string]string
	}{
		"fits":                       {[]string{"abc\n", "def\n"}, map[string]string{"x.0": "abc\ndef\n"}},
		"splits between lines":       {[]string{"abc\n", "defg\nhi\n"}, map[string]string{"x.0": "abc\n", "x.1": "defg\nhi\n"}},
		"splits a line that is long": {[]string{"abcdefghijkl\n"}, map[string]string{"x.0": "abcdefgh", "x.1": "ijkl\n"}},
		"keeps the newest":           {[]string{"1234567\n", "2234567\n", "3234567\n", "4\n"}, map[string]string{"x.2": "3234567\n", "x.3": "4\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			r := &rotatingFile{path: filepath.Join(dir, "x"), maxFiles: 2, maxBytes: 8, log: slog.New(slog.DiscardHandler)}
			for _, text := range c.writes {
				n, err := r.Write([]byte(text))
				require.NoError(t, err)
				require.Equal(t, len(text), n)
			}
			r.close()
			got := map[string]string{}
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			for _, entry := range entries {
				text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
				require.NoError(t, err)
				got[entry.Name()] = string(text)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestRotatingFileOutlivesAFullDisk(t *testing.T) {
	t.Parallel()
	r := &rotatingFile{path: filepath.Join(t.TempDir(), "missing", "x"), maxFiles: 1, maxBytes: 8, log: slog.New(slog.DiscardHandler)}
	n, err := r.Write([]byte("lost"))
	require.NoError(t, err)
	require.Equal(t, 4, n)
}

func TestLogsRotate(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	const lines = 3*8192 + 10 // of 128 bytes: a little over three megabytes
	id := server.place(taskJob(t, "batch", `task "t" {
		driver = "raw_exec"
		config {
			command = "/bin/sh"
			args    = ["-c", "yes $(printf %0127d 0) | head -n 24586"]
		}
		logs {
			max_files     = 2
			max_file_size = 1
		}
	}`))
	server.await(t, id, "complete")
	dir, err := node.AllocationDir(id)
	require.NoError(t, err)
	for index, want := range []int{0, 0, 8192, lines - 3*8192} {
		text, err := os.ReadFile(dir.LogFile("t", "stdout", index))
		if want == 0 {
			require.ErrorIs(t, err, os.ErrNotExist)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, strings.Count(string(text), "\n"))
	}
}

type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func TestOutputHasTheTaskInFront(t *testing.T) {
	t.Parallel()
	var out buffer
	server := newFakeServer()
	testNode(t, server, func(o *Options) { o.Output = &out })
	id := server.place(taskJob(t, "batch", `task "t" {
		driver = "raw_exec"
		config {
			command = "/bin/sh"
			args    = ["-c", "echo first; printf second"]
		}
	}`))
	server.await(t, id, "complete")
	out.mu.Lock()
	defer out.mu.Unlock()
	require.Equal(t, "t | first\nt | second\n", out.text.String())
}

package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/nomad/api"
)

// taskLogs receives what a task prints, over all its restarts. Its writers never fail and never stop taking: a full disk
// must not block a task.
type taskLogs struct {
	files          [2]*rotatingFile // none when the job disables logs
	lines          [2]*lineWriter   // none when nobody watches
	stdout, stderr io.Writer
}

// newTaskLogs makes the logs of a task in a folder. Nothing is written before the task prints, or open is called.
func newTaskLogs(spec *api.Task, dir string, output *terminal, log *slog.Logger) *taskLogs {
	l := &taskLogs{}
	writers := [2]io.Writer{}
	for i, stream := range [2]string{"stdout", "stderr"} {
		var to []io.Writer
		if !logsDisabled(spec.LogConfig) {
			l.files[i] = newRotatingFile(filepath.Join(dir, spec.Name+"."+stream), spec.LogConfig, log)
			to = append(to, l.files[i])
		}
		if output != nil {
			l.lines[i] = &lineWriter{prefix: spec.Name + " | ", to: output}
			to = append(to, l.lines[i])
		}
		writers[i] = io.MultiWriter(to...)
	}
	l.stdout, l.stderr = writers[0], writers[1]
	return l
}

// open makes the files, so that a task that prints nothing has empty ones.
func (l *taskLogs) open() {
	for _, f := range l.files {
		if f != nil {
			_, _ = f.Write(nil) // it never fails
		}
	}
}

func (l *taskLogs) close() {
	for i := range l.files {
		if l.files[i] != nil {
			l.files[i].close()
		}
		if l.lines[i] != nil {
			l.lines[i].flush()
		}
	}
}

// rotatingFile writes <path>.0, then <path>.1 and so on, each of at most maxBytes, and keeps the newest maxFiles. It splits
// at the end of a line where it can.
type rotatingFile struct {
	path     string
	maxFiles int
	maxBytes int64
	log      *slog.Logger

	file   *os.File
	begun  bool // the index is known
	index  int
	size   int64
	failed bool // told once
}

func newRotatingFile(path string, config *api.LogConfig, log *slog.Logger) *rotatingFile {
	r := &rotatingFile{path: path, maxFiles: 10, maxBytes: 10 << 20, log: log}
	if config != nil && config.MaxFiles != nil {
		r.maxFiles = max(*config.MaxFiles, 1)
	}
	if config != nil && config.MaxFileSizeMB != nil {
		r.maxBytes = int64(max(*config.MaxFileSizeMB, 1)) << 20
	}
	return r
}

func logsDisabled(config *api.LogConfig) bool {
	return config != nil && config.Disabled != nil && *config.Disabled
}

func (r *rotatingFile) Write(p []byte) (int, error) {
	if len(p) == 0 {
		if err := r.open(); err != nil {
			r.fail(err)
		}
	}
	for rest := p; len(rest) > 0; {
		if err := r.open(); err != nil {
			r.fail(err)
			break
		}
		part := rest
		if room := r.maxBytes - r.size; int64(len(part)) > room {
			part = part[:room]
			if end := bytes.LastIndexByte(part, '\n'); end >= 0 {
				part = part[:end+1]
			} else if r.size > 0 && room < r.maxBytes && len(rest) <= int(r.maxBytes) {
				part = nil // a whole line fits into the next file
			}
			rest = rest[len(part):]
			r.write(part)
			r.rotate()
			continue
		}
		r.write(part)
		rest = nil
	}
	return len(p), nil
}

func (r *rotatingFile) open() (err error) {
	if r.file != nil {
		return nil
	}
	if !r.begun {
		r.begun, r.index = true, newestLog(r.path)
	}
	if r.file, err = os.OpenFile(r.name(r.index), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		r.file = nil
		return err
	}
	r.size, err = r.file.Seek(0, io.SeekEnd)
	return err
}

func (r *rotatingFile) write(p []byte) {
	n, err := r.file.Write(p)
	r.size += int64(n)
	if err != nil {
		r.fail(err)
	}
}

func (r *rotatingFile) rotate() {
	r.close()
	r.index++
	if old := r.index - r.maxFiles; old >= 0 {
		if err := os.Remove(r.name(old)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.fail(err)
		}
	}
}

func (r *rotatingFile) name(index int) string { return fmt.Sprintf("%s.%d", r.path, index) }

func (r *rotatingFile) fail(err error) {
	if !r.failed {
		r.failed = true
		r.log.Warn("output of a task is lost", "error", err)
	}
}

func (r *rotatingFile) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// terminal is the owner's terminal: whole lines of many tasks, one at a time.
type terminal struct {
	mu  sync.Mutex
	out io.Writer
}

func (t *terminal) print(prefix string, line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = t.out.Write(append(append([]byte(prefix), line...), '\n'))
}

// lineWriter prints what is written to it line by line, each after the prefix. A line past maxLine is broken.
type lineWriter struct {
	prefix string
	to     *terminal
	line   []byte
}

const maxLine = 64 << 10

func (w *lineWriter) Write(p []byte) (int, error) {
	w.line = append(w.line, p...)
	for {
		end, skip := bytes.IndexByte(w.line, '\n'), 1
		if end < 0 && len(w.line) > maxLine {
			end, skip = maxLine, 0
		}
		if end < 0 {
			return len(p), nil
		}
		w.to.print(w.prefix, bytes.TrimSuffix(w.line[:end], []byte{'\r'}))
		w.line = w.line[end+skip:]
	}
}

func (w *lineWriter) flush() {
	if len(w.line) > 0 {
		w.to.print(w.prefix, w.line)
		w.line = nil
	}
}

// newestLog is the index of the last file of a log; 0 without one.
func newestLog(base string) int {
	names, err := filepath.Glob(base + ".*")
	if err != nil {
		return 0
	}
	newest := 0
	for _, name := range names {
		var index int
		if _, err := fmt.Sscanf(name[len(base):], ".%d", &index); err == nil {
			newest = max(newest, index)
		}
	}
	return newest
}

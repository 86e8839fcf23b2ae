package client

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// taskLogs receives what a task prints, over all its restarts. Its writers never fail and never stop taking: a full disk
// must not block a task.
type taskLogs struct {
	files          [2]*rotatingFile // none when the job disables logs
	lines          [2]*lineWriter   // none when nobody watches
	stdout, stderr io.Writer
}

func newTaskLogs(t *task) *taskLogs {
	l := &taskLogs{}
	writers := [2]io.Writer{}
	for i, stream := range [2]string{"stdout", "stderr"} {
		var to []io.Writer
		if !*t.spec.LogConfig.Disabled {
			l.files[i] = &rotatingFile{
				path:     filepath.Join(t.alloc.logDir(), t.spec.Name+"."+stream),
				maxFiles: max(*t.spec.LogConfig.MaxFiles, 1),
				maxBytes: int64(max(*t.spec.LogConfig.MaxFileSizeMB, 1)) << 20,
				log:      t.alloc.n.log,
			}
			to = append(to, l.files[i])
		}
		if t.alloc.n.output != nil {
			l.lines[i] = &lineWriter{prefix: t.spec.Name + " | ", to: t.alloc.n.output}
			to = append(to, l.lines[i])
		}
		writers[i] = io.MultiWriter(to...)
	}
	l.stdout, l.stderr = writers[0], writers[1]
	return l
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
	index  int
	size   int64
	failed bool // told once
}

func (r *rotatingFile) Write(p []byte) (int, error) {
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
	if r.file == nil {
		r.file, err = os.OpenFile(r.name(r.index), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		r.size = 0
	}
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
		if err := os.Remove(r.name(old)); err != nil {
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

// tail returns the last lines that a task printed, of its standard error if there are any.
func (t *task) tail(lines int) []string {
	for _, stream := range []string{"stderr", "stdout"} {
		base := filepath.Join(t.alloc.logDir(), t.spec.Name+"."+stream)
		names, err := filepath.Glob(base + ".*")
		if err != nil || len(names) == 0 {
			continue
		}
		newest := 0
		for _, name := range names {
			var index int
			if _, err := fmt.Sscanf(name[len(base):], ".%d", &index); err == nil {
				newest = max(newest, index)
			}
		}
		text, err := readEnd(fmt.Sprintf("%s.%d", base, newest), maxLine)
		if text = bytes.TrimSpace(text); err != nil || len(text) == 0 {
			continue
		}
		var last []string
		for line := range bytes.SplitSeq(text, []byte{'\n'}) {
			last = append(last, string(line))
		}
		return last[max(0, len(last)-lines):]
	}
	return nil
}

// readEnd reads at most the last size bytes of a file.
func readEnd(path string, size int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(max(0, info.Size()-size), io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

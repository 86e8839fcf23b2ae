package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/api"
)

// logDirectory is where the logs of the tasks are, below the allocation directory.
const logDirectory = "alloc/logs"

// Logs sends what a task has printed, over all of its log files, from an offset on: to its end, or, to follow it, until ctx
// ends. Errors are as with Stream.
func (d *Directory) Logs(ctx context.Context, request LogsRequest, send Send) error {
	known, started := d.tasks(request.Task)
	switch {
	case !known:
		return newError(http.StatusBadRequest, "unknown task name %q", request.Task)
	case !started:
		return newError(http.StatusNotFound, "task %q not started yet. No logs available", request.Task)
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return newError(http.StatusInternalServerError, "open allocation directory: %s", err)
	}
	defer root.Close()
	l := &logStream{root: root, prefix: request.Task + "." + request.Type + ".", send: send, last: -1}
	defer l.close()
	if err := l.seek(request.Origin, request.Offset); err != nil {
		return newError(http.StatusInternalServerError, "read logs: %s", err)
	}
	if !request.Follow {
		return l.drain(ctx)
	}
	return follow(ctx, send, func() (bool, error) { return false, l.drain(ctx) })
}

// logStream reads the numbered files of one log, one after the other.
type logStream struct {
	root   *os.Root
	prefix string // of their names
	send   Send
	last   int // the number of the file that was opened last; -1 for none
	tail   *tail
}

func (l *logStream) close() {
	if l.tail != nil {
		_ = l.tail.file.Close()
		l.tail = nil
	}
}

func (l *logStream) name(index int) string {
	return path.Join(logDirectory, l.prefix+strconv.Itoa(index))
}

// indexes are the numbers of the files that there are, in order.
func (l *logStream) indexes() ([]int, error) {
	entries, err := fs.ReadDir(l.root.FS(), logDirectory)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var indexes []int
	for _, entry := range entries {
		number, found := strings.CutPrefix(entry.Name(), l.prefix)
		if index, err := strconv.Atoi(number); found && err == nil && index >= 0 && strconv.Itoa(index) == number {
			indexes = append(indexes, index)
		}
	}
	slices.Sort(indexes)
	return indexes, nil
}

// seek opens the file in which the offset is. From the end, no offset at all means everything, as it does for a real agent;
// so does more than there is. From the start, less than none is counted from the end.
func (l *logStream) seek(origin string, offset int64) error {
	indexes, err := l.indexes()
	if err != nil {
		return err
	}
	sizes := make([]int64, len(indexes))
	var total int64
	for i, index := range indexes {
		if about, err := l.root.Lstat(l.name(index)); err == nil {
			sizes[i] = about.Size()
		}
		total += sizes[i]
	}
	if origin == api.OriginEnd || offset < 0 {
		offset = max(offset, -offset)
		if offset == 0 {
			offset = total
		}
		offset = max(total-offset, 0)
	}
	for i, index := range indexes {
		if last := i == len(indexes)-1; offset < sizes[i] || last {
			return l.open(index, min(offset, sizes[i]))
		}
		offset -= sizes[i]
	}
	return nil
}

// open goes on with another file, if it is still there.
func (l *logStream) open(index int, offset int64) error {
	l.close()
	l.last = index
	file, err := l.root.Open(l.name(index))
	switch {
	case errors.Is(err, fs.ErrNotExist): // rotated away
		return nil
	case err != nil:
		return fmt.Errorf("open log file: %w", err)
	}
	l.tail = newTail(l.name(index), file, offset, l.send)
	return nil
}

// drain sends all that the task has printed by now.
func (l *logStream) drain(ctx context.Context) error {
	for {
		// Looked for first: once there is a later file, nothing more is written to the one that is read.
		next, found, err := l.next()
		if err != nil {
			return err
		}
		if l.tail != nil {
			if err := l.tail.drain(ctx); err != nil {
				return err
			}
		}
		if !found {
			return nil
		}
		if err := l.open(next, 0); err != nil {
			return err
		}
	}
}

// next is the first file after the one that was opened last.
func (l *logStream) next() (index int, found bool, err error) {
	indexes, err := l.indexes()
	for _, index := range indexes {
		if index > l.last {
			return index, true, nil
		}
	}
	return 0, false, err
}

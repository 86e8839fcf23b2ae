package runner

import "sync"

// lanes let one task of a key out at a time; the others wait in line.
type lanes struct {
	mu      sync.Mutex
	waiting map[string][]*task // by key; it is there while one of the key is out
}

// enter returns true when the task is out now, false when it waits.
func (l *lanes) enter(t *task) bool {
	if t.key == "" {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	line, busy := l.waiting[t.key]
	if busy {
		l.waiting[t.key] = append(line, t)
	} else {
		l.waiting[t.key] = nil
	}
	return !busy
}

// leave takes a task back and returns the one that is out in its place, if any.
func (l *lanes) leave(t *task) *task {
	if t.key == "" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.waiting[t.key]
	if len(line) == 0 {
		delete(l.waiting, t.key)
		return nil
	}
	l.waiting[t.key] = line[1:]
	return line[0]
}

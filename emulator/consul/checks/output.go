package checks

import "fmt"

// tail keeps the last bytes that are written to it.
type tail struct {
	limit int
	kept  []byte
	total int
}

// Write takes all of p, and fails never.
func (t *tail) Write(p []byte) (int, error) {
	t.total += len(p)
	if len(p) > t.limit {
		t.kept = append(t.kept[:0], p[len(p)-t.limit:]...)
		return len(p), nil
	}
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// String is what was kept, and says so if that is not all.
func (t *tail) String() string {
	if t.total > t.limit {
		return fmt.Sprintf("Captured %d of %d bytes\n...\n%s", len(t.kept), t.total, t.kept)
	}
	return string(t.kept)
}

// capText shortens what a service says of itself, and says so.
func capText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return fmt.Sprintf("%s ... (captured %d of %d bytes)", text[:limit], limit, len(text))
}

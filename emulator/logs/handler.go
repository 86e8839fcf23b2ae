package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Handler writes records in the form of Consul's log, a line each:
//
//	2006-01-02T15:04:05.000Z [INFO]  agent: Synced service: service=web
//
// or as a JSON object. It may be used from any goroutine.
type Handler struct {
	level  slog.Leveler
	json   bool
	out    *output
	module string
	attrs  []slog.Attr
	group  string // that attributes are in, with its dot
}

type output struct {
	mu sync.Mutex
	to io.Writer
}

// NewHandler makes a handler that writes what has at least the level; each
// line is one call of Write, and no two run at the same time.
func NewHandler(to io.Writer, level slog.Leveler, asJSON bool) *Handler {
	return &Handler{level: level, json: asJSON, out: &output{to: to}, module: "agent"}
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = slices.Clip(h.attrs)
	for _, a := range attrs {
		with.add(a)
	}
	return &with
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	with := *h
	with.group += name + "."
	return &with
}

// Handle implements slog.Handler.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	line := *h
	line.attrs = slices.Clip(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		line.add(a)
		return true
	})
	text := line.text(r)
	if h.json {
		var err error
		if text, err = line.object(r); err != nil {
			return err
		}
	}
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err := h.out.to.Write(text)
	return err
}

func (h *Handler) add(a slog.Attr) {
	a.Value = a.Value.Resolve()
	switch {
	case a.Key == moduleKey:
		h.module = a.Value.String()
	case a.Value.Kind() == slog.KindGroup:
		inner := *h
		inner.group += a.Key + "."
		for _, member := range a.Value.Group() {
			inner.add(member)
		}
		h.attrs = inner.attrs
	default:
		a.Key = h.group + a.Key
		h.attrs = append(h.attrs, a)
	}
}

func (h *Handler) text(r slog.Record) []byte {
	var line bytes.Buffer
	fmt.Fprintf(&line, "%s %-7s %s: %s", r.Time.UTC().Format("2006-01-02T15:04:05.000Z"), "["+levelName(r.Level)+"]", h.module, r.Message)
	for i, a := range h.attrs {
		if i == 0 {
			line.WriteByte(':')
		}
		fmt.Fprintf(&line, " %s=%s", a.Key, quoted(a.Value.String()))
	}
	line.WriteByte('\n')
	return line.Bytes()
}

// quoted puts a value in quotes when it would not be one word without them.
func quoted(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || r > '~' }) {
		return strconv.Quote(value)
	}
	return value
}

func (h *Handler) object(r slog.Record) ([]byte, error) {
	fields := map[string]any{
		"@level":     strings.ToLower(levelName(r.Level)),
		"@message":   r.Message,
		"@module":    h.module,
		"@timestamp": r.Time.UTC().Format("2006-01-02T15:04:05.000000Z"),
	}
	for _, a := range h.attrs {
		fields[a.Key] = plain(a.Value)
	}
	text, err := json.Marshal(fields)
	return append(text, '\n'), err
}

// plain is a value as JSON has it; errors and durations are texts.
func plain(v slog.Value) any {
	switch value := v.Any().(type) {
	case error:
		return value.Error()
	case time.Duration:
		return value.String()
	case fmt.Stringer:
		return value.String()
	default:
		return value
	}
}

package logs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/logs"
)

func TestLinesLookLikeConsuls(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(logs.NewHandler(&out, slog.LevelInfo, false))
	log.Debug("not shown")
	log.Info("Consul agent running!")
	log.With(logs.Module("agent.http")).Error("Request finished", "method", "GET", "from", "a b", "error", errors.New("no"))
	log.WithGroup("raft").Warn("slow", slog.Group("peer", "id", 1))
	when := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z `)
	assert.Equal(t, `[INFO]  agent: Consul agent running!
[ERROR] agent.http: Request finished: method=GET from="a b" error=no
[WARN]  agent: slow: raft.peer.id=1
`, when.ReplaceAllString(out.String(), ""))
}

func TestJSONObjects(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(logs.NewHandler(&out, logs.LevelTrace, true)).Log(t.Context(), logs.LevelTrace, "read", "error", errors.New("no"), "took", time.Second, "count", 3)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	delete(line, "@timestamp")
	assert.Equal(t, map[string]any{
		"@level": "trace", "@message": "read", "@module": "agent", "error": "no", "took": "1s", "count": 3.0,
	}, line)
}

func TestFollowersGetRecordsWhileTheyFollow(t *testing.T) {
	t.Parallel()
	var kept, followed bytes.Buffer
	fan := logs.NewFan(logs.NewHandler(&kept, slog.LevelWarn, false))
	log := slog.New(fan).With("node", "one")
	log.Info("before")
	stop := fan.Follow(logs.NewHandler(&followed, slog.LevelDebug, false))
	log.Debug("during")
	stop()
	log.Info("after")
	log.Warn("at last")
	assert.NotContains(t, followed.String(), "before")
	assert.Contains(t, followed.String(), "[DEBUG] agent: during: node=one\n")
	assert.NotContains(t, followed.String(), "after")
	assert.Contains(t, kept.String(), "[WARN]  agent: at last: node=one\n")
	assert.NotContains(t, kept.String(), "during")
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]slog.Level{
		"trace": logs.LevelTrace, "DEBUG": slog.LevelDebug, "Info": slog.LevelInfo, "warn": slog.LevelWarn, "err": slog.LevelError, "error": slog.LevelError,
	} {
		got, err := logs.ParseLevel(name)
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
	_, err := logs.ParseLevel("loud")
	var unknown *logs.LevelError
	assert.ErrorAs(t, err, &unknown)
}

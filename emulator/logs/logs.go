// Package logs writes an agent's log in the form that Consul gives it, and lets
// others follow what is logged while they like: that is what `consul monitor`
// asks for. Package consul sends its log through a Fan; the program that runs
// an agent writes it with a Handler.
package logs

import (
	"fmt"
	"log/slog"
	"strings"
)

// LevelTrace is below slog.LevelDebug.
const LevelTrace = slog.LevelDebug - 4

// moduleKey is the attribute with the part of the agent that logs.
const moduleKey = "@module"

// Module says which part of the agent logs, such as "agent.http".
func Module(name string) slog.Attr { return slog.String(moduleKey, name) }

// LevelError says that a text is not the name of a level.
type LevelError struct{ Level string }

func (e *LevelError) Error() string {
	return fmt.Sprintf("Invalid log level: %s. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]", e.Level)
}

// ParseLevel reads a level's name, in upper or lower case. The error is a *LevelError.
func ParseLevel(name string) (slog.Level, error) {
	switch strings.ToUpper(name) {
	case "TRACE":
		return LevelTrace, nil
	case "DEBUG":
		return slog.LevelDebug, nil
	case "INFO":
		return slog.LevelInfo, nil
	case "WARN":
		return slog.LevelWarn, nil
	case "ERR", "ERROR":
		return slog.LevelError, nil
	}
	return 0, &LevelError{name}
}

// levelName is the name that a level has in the log.
func levelName(level slog.Level) string {
	switch {
	case level < slog.LevelDebug:
		return "TRACE"
	case level < slog.LevelInfo:
		return "DEBUG"
	case level < slog.LevelWarn:
		return "INFO"
	case level < slog.LevelError:
		return "WARN"
	}
	return "ERROR"
}

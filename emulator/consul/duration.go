package consul

import (
	"encoding/json"
	"fmt"
	"time"
)

// duration is written as text, "10s"; clients send it so, or as a number of nanoseconds.
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalJSON(text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	switch value := value.(type) {
	case nil:
	case float64:
		*d = duration(value)
	case string:
		if value == "" {
			return nil
		}
		parsed, err := time.ParseDuration(value)
		if err != nil {
			return err
		}
		*d = duration(parsed)
	default:
		return fmt.Errorf("a duration is a text as \"10s\" or a number of nanoseconds, not %s", text)
	}
	return nil
}

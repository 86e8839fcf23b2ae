package state

import (
	"encoding/json"
	"fmt"
	"time"
)

// Duration is a time.Duration that is written as text, such as 10s, and read
// from that or from a number of nanoseconds.
type Duration time.Duration

// MarshalText writes the duration as text.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalJSON reads a text or a number.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	switch value := value.(type) {
	case nil:
	case float64:
		*d = Duration(value)
	case string:
		if value == "" {
			return nil
		}
		read, err := time.ParseDuration(value)
		*d = Duration(read)
		return err
	default:
		return fmt.Errorf("a duration is a text or a number, not %s", data)
	}
	return nil
}

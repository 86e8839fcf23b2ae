package state

import (
	"encoding/json"
	"fmt"
	"time"
)

// TTL is a time.Duration that is written as text, such as 10m0s, or as an empty
// one when it is zero, and read from that or from a number of nanoseconds.
type TTL time.Duration

// MarshalText writes the duration as text.
func (t TTL) MarshalText() ([]byte, error) {
	if t == 0 {
		return nil, nil
	}
	return []byte(time.Duration(t).String()), nil
}

// UnmarshalJSON reads a text or a number.
func (t *TTL) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	switch value := value.(type) {
	case nil:
	case float64:
		*t = TTL(value)
	case string:
		if value == "" {
			*t = 0
			return nil
		}
		read, err := time.ParseDuration(value)
		*t = TTL(read)
		return err
	default:
		return fmt.Errorf("a duration is a text or a number, not %s", data)
	}
	return nil
}

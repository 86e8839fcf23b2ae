package state

import (
	"crypto/sha256"
	"encoding/json"
)

// hashOf tells contents apart, by which clients see whether something has changed.
func hashOf(content ...any) []byte {
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // rows survive being written as JSON
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

package checks

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestTailKeepsTheLastBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		kept := &tail{limit: limit}
		var all strings.Builder
		for _, part := range rapid.SliceOf(rapid.StringN(0, 15, 15)).Draw(t, "parts") {
			n, err := kept.Write([]byte(part))
			assert.NoError(t, err)
			assert.Equal(t, len(part), n)
			all.WriteString(part)
		}
		assert.Equal(t, all.String()[max(0, all.Len()-limit):], string(kept.kept))
		assert.Equal(t, all.Len() > limit, strings.HasPrefix(kept.String(), "Captured "))
	})
}

func TestCapText(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "abc", capText("abc", 3))
	assert.Equal(t, "abcdefghij ... (captured 10 of 26 bytes)", capText("abcdefghijklmnopqrstuvwxyz", 10))
}

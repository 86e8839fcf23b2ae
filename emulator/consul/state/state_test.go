package state

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := New()
	require.NoError(t, err)
	return s
}

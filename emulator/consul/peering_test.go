package consul

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThereAreNoPeerings(t *testing.T) {
	t.Parallel()
	peerings := client(t, start(t, Options{})).Peerings()
	list, _, err := peerings.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, list)
	one, _, err := peerings.Read(t.Context(), "x", nil)
	require.NoError(t, err)
	assert.Nil(t, one)
	_, err = peerings.Delete(t.Context(), "x", nil)
	require.NoError(t, err)
}

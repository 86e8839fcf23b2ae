package nomad_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/host/filelock"
	"github.com/drydock/drydock/emulator/nomad"
)

func TestOneNomadAtATimeHasAFolder(t *testing.T) {
	t.Parallel()
	o := nomad.Options{Dir: t.TempDir()}
	first, err := nomad.Start(t.Context(), o)
	require.NoError(t, err)
	_, err = nomad.Start(t.Context(), o)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.NoError(t, first.Close())
	second, err := nomad.Start(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, first.Close(), "of one that is closed does not concern the next one")
	_, err = nomad.Start(t.Context(), o)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.NoError(t, second.Close())
}

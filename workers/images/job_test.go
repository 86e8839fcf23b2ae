package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/workers/images/vips"
)

func TestItsJobLetsItDrain(t *testing.T) {
	t.Parallel()
	job, err := jobs.Read(jobs.Files, name, nil)
	require.NoError(t, err)
	assert.Greater(t, *job.TaskGroups[0].Tasks[0].KillTimeout, drain)
}

func TestItsJobHasVariantsThatItTakes(t *testing.T) {
	t.Parallel()
	job, err := jobs.Read(jobs.Files, name, nil)
	require.NoError(t, err)
	variants, err := vips.ParseVariants([]byte(*job.TaskGroups[0].Tasks[0].Templates[0].EmbeddedTmpl))
	require.NoError(t, err)
	assert.Equal(t, vips.DefaultVariants(), variants)
}

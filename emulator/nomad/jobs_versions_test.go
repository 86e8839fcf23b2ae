package nomad

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// threeVersions registers a job with one, two and three instances.
func threeVersions(t testing.TB, c *api.Client) {
	t.Helper()
	register(t, c, mockJob("web", 1), mockJob("web", 2), mockJob("web", 3))
}

// countsIn tells what a diff says of a group's count.
func countsIn(diff *api.JobDiff) string {
	for _, group := range diff.TaskGroups {
		for _, field := range group.Fields {
			if field.Name == "Count" {
				return field.Old + ">" + field.New
			}
		}
	}
	return ""
}

func TestVersionsAreCompared(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	threeVersions(t, c)
	_, err := c.Jobs().TagVersion("web", 1, "good", "it works", nil)
	require.NoError(t, err)
	for _, test := range []struct {
		name    string
		options api.VersionsOptions
		counts  []string
	}{
		{"with the one before", api.VersionsOptions{Diffs: true}, []string{"2>3", "1>2"}},
		{"with a number", api.VersionsOptions{Diffs: true, DiffVersion: new(uint64(0))}, []string{"1>3", "1>2", ""}},
		{"with a tag", api.VersionsOptions{Diffs: true, DiffTag: "good"}, []string{"2>3", "", "2>1"}},
		{"not at all", api.VersionsOptions{}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			versions, diffs, _, err := c.Jobs().VersionsOpts("web", &test.options, nil)
			require.NoError(t, err)
			require.Len(t, versions, 3)
			assert.Equal(t, uint64(2), *versions[0].Version)
			var counts []string
			for _, diff := range diffs {
				counts = append(counts, countsIn(diff))
			}
			assert.Equal(t, test.counts, counts)
		})
	}
}

func TestVersionsAreTagged(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{})).Jobs()
	for count := range 3 {
		_, _, err := c.Register(mockJob("web", count+1), nil)
		require.NoError(t, err)
	}
	_, err := c.TagVersion("web", 0, "first", "", nil)
	require.NoError(t, err)
	_, err = c.TagVersionOpts("web", "last", &api.TagVersionRequest{Latest: true}, nil)
	require.NoError(t, err)
	first, _, err := c.VersionByTag("web", "first", nil)
	require.NoError(t, err)
	assert.Equal(t, uint64(0), *first.Version)
	last, _, err := c.Info("web", nil)
	require.NoError(t, err)
	assert.Equal(t, "last", last.VersionTag.Name)

	_, err = c.TagVersion("web", 1, "first", "", nil)
	require.ErrorContains(t, err, `tag "first" already exists on a different version of job "web"`)
	_, err = c.TagVersion("web", 0, "first", "described", nil)
	require.NoError(t, err)
	first, _, err = c.VersionByTag("web", "first", nil)
	require.NoError(t, err)
	assert.Equal(t, "described", first.VersionTag.Description)

	for count := range 10 { // older ones are forgotten, unless they are tagged
		_, _, err := c.Register(mockJob("web", count+10), nil)
		require.NoError(t, err)
	}
	_, _, err = c.VersionByTag("web", "first", nil)
	require.NoError(t, err)
	_, err = c.UntagVersion("web", "first", nil)
	require.NoError(t, err)
	_, _, err = c.VersionByTag("web", "first", nil)
	require.Error(t, err)
}

func TestAJobIsReverted(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	threeVersions(t, c)
	_, _, err := c.Jobs().Revert("web", 0, new(uint64(1)), nil, "", "")
	require.ErrorContains(t, err, "Current job has version 2; enforcing version 1")
	_, _, err = c.Jobs().Revert("web", 0, new(uint64(2)), nil, "", "")
	require.NoError(t, err)
	job, _, err := c.Jobs().Info("web", nil)
	require.NoError(t, err)
	assert.Equal(t, uint64(3), *job.Version)
	assert.Equal(t, 1, *job.TaskGroups[0].Count)
}

func TestAVersionIsCalledStable(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{})).Jobs()
	_, _, err := c.Register(batchJob("job", nil, nil), nil)
	require.NoError(t, err)
	for _, stable := range []bool{true, false} {
		_, _, err = c.Stable("job", 0, stable, nil)
		require.NoError(t, err)
		job, _, err := c.Info("job", nil)
		require.NoError(t, err)
		assert.Equal(t, stable, *job.Stable)
	}
}

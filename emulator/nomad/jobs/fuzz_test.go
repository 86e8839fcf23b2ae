package jobs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
)

// addJobs gives a fuzz test the jobs of the other tests to start from.
func addJobs(f *testing.F) {
	f.Helper()
	f.Add([]byte(base))
	files, err := filepath.Glob("testdata/validate/*.json")
	require.NoError(f, err)
	for _, file := range append(files, "testdata/canonicalize.json") {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		for _, line := range strings.Split(string(text), "\n") {
			var c validateCase
			if json.Unmarshal([]byte(strings.TrimPrefix(line, ",")), &c) == nil {
				f.Add(baseWith(f, c.Set))
			}
		}
	}
}

func FuzzJobs(f *testing.F) {
	addJobs(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		job := new(api.Job)
		if json.Unmarshal(text, job) != nil {
			return
		}
		jobs.Canonicalize(job)
		jobs.Validate(job, jobs.Cluster{})
	})
}

func FuzzDiff(f *testing.F) {
	text, err := os.ReadFile("testdata/diff.json")
	require.NoError(f, err)
	var list []diffCase
	require.NoError(f, json.Unmarshal(text, &list))
	for _, c := range list {
		old, changed := c.versions(f)
		f.Add(old, changed)
	}
	f.Fuzz(func(t *testing.T, oldText, newText []byte) {
		var old, changed *api.Job
		if json.Unmarshal(newText, &changed) != nil {
			return
		}
		_ = json.Unmarshal(oldText, &old) // or there is none
		diff := jobs.Diff(old, changed)
		jobs.Annotate(diff, nil)
		jobs.Diff(changed, old)
	})
}

func FuzzParse(f *testing.F) {
	f.Add(jobFile, "count = 3")
	files, err := filepath.Glob("../../../jobs/*.hcl")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(text), "")
	}
	f.Fuzz(func(t *testing.T, source, variables string) {
		job, err := jobs.Parse(&api.JobsParseRequest{JobHCL: source, Variables: variables})
		if err != nil {
			return
		}
		jobs.Canonicalize(job)
		jobs.Validate(job, jobs.Cluster{})
	})
}

package jobs_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type canonicalCase struct {
	Case   string          `json:"case"`
	Set    changes         `json:"set"`
	Stored json.RawMessage `json:"stored"`
}

func TestCanonicalizeAsTheRealProgramStores(t *testing.T) {
	parallel(t)
	list := cases[canonicalCase](t, "canonicalize")
	for i := range list {
		c := &list[i]
		t.Run(c.Case, func(t *testing.T) {
			job := decode(t, baseWith(t, c.Set))
			if *real != "" {
				c.Stored = stored(t, baseWith(t, c.Set))
			}
			jobs.Canonicalize(job)
			once := generic(t, job)
			jobs.Canonicalize(job)
			assert.Empty(t, differences("", once, generic(t, job)), "a canonical job stays as it is")
			job.CreateIndex, job.ModifyIndex, job.JobModifyIndex = nil, nil, nil
			job.Status = nil
			for _, difference := range differences("", generic(t, decode(t, c.Stored)), generic(t, job)) {
				assert.Fail(t, difference)
			}
		})
	}
	if *real != "" {
		keep(t, "canonicalize", list)
	}
}

// stored is what the real program makes of a job, without what changes from one
// registration to the next, and without what is null.
func stored(t *testing.T, text []byte) json.RawMessage {
	t.Helper()
	status, answer := ask(t, http.MethodPut, "/v1/jobs", map[string]json.RawMessage{"Job": text})
	require.Equal(t, http.StatusOK, status, answer)
	status, answer = ask(t, http.MethodGet, "/v1/job/web", nil)
	require.Equal(t, http.StatusOK, status, answer)
	var job map[string]any
	require.NoError(t, json.Unmarshal([]byte(answer), &job))
	for _, name := range []string{"CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime", "Status"} {
		delete(job, name)
	}
	status, answer = ask(t, http.MethodDelete, "/v1/job/web?purge=true", nil)
	require.Equal(t, http.StatusOK, status, answer)
	for _, group := range job["TaskGroups"].([]any) {
		if policy, ok := group.(map[string]any)["Scaling"].(map[string]any); ok {
			policy["ID"], policy["CreateIndex"], policy["ModifyIndex"] = nil, nil, nil
		}
	}
	kept, err := json.Marshal(withoutNulls(job))
	require.NoError(t, err)
	return kept
}

func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if inner == nil {
				delete(v, name)
			} else {
				v[name] = withoutNulls(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return v
}

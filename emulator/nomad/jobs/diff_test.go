package jobs_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type diffCase struct {
	Case string   `json:"case"`
	Both changes  `json:"both,omitempty"`
	Old  *changes `json:"old,omitempty"` // nil: there is no job
	New  changes  `json:"new"`

	// Diff is annotated with Updates; absent fields are left out of both.
	Diff    json.RawMessage                `json:"diff"`
	Updates map[string]*api.DesiredUpdates `json:"updates"`
	// Version is that of the changed job once it is registered.
	Version uint64 `json:"version,omitempty"`
	// Refused is why the job cannot be replaced, if it cannot.
	Refused string `json:"refused,omitempty"`
}

// versions are the two jobs to compare.
func (c *diffCase) versions(t testing.TB) (old, changed []byte) {
	t.Helper()
	with := func(own changes) []byte {
		set := changes{}
		for path, v := range c.Both {
			set[path] = v
		}
		for path, v := range own {
			set[path] = v
		}
		return baseWith(t, set)
	}
	if c.Old != nil {
		old = with(*c.Old)
	}
	return old, with(c.New)
}

func TestDiffAsTheRealProgramPlans(t *testing.T) {
	parallel(t)
	list := cases[diffCase](t, "diff")
	for i := range list {
		c := &list[i]
		t.Run(c.Case, func(t *testing.T) {
			oldText, newText := c.versions(t)
			if *real != "" {
				planned(t, oldText, newText, c)
			}
			var old *api.Job
			if oldText != nil {
				old = decode(t, oldText)
				jobs.Canonicalize(old)
				asStored(old)
			}
			changed := decode(t, newText)
			jobs.Canonicalize(changed)
			var diff api.JobDiff
			require.NoError(t, json.Unmarshal(c.Diff, &diff))
			want := inOrder(generic(t, diff))
			got := jobs.Diff(old, changed)
			jobs.Annotate(got, c.Updates)
			for _, difference := range differences("", want, inOrder(generic(t, got))) {
				assert.Fail(t, difference)
			}
			refused := ""
			if err := jobs.CheckRegister(old, changed); err != nil {
				refused = err.Error()
			}
			assert.Equal(t, c.Refused, refused)
			if old != nil && c.Refused == "" {
				assert.Equal(t, c.Version == 1, jobs.SpecChanged(old, changed), "a new version")
			}
		})
	}
	if *real != "" {
		keep(t, "diff", list)
	}
}

// asStored sets what the servers set when they write a job.
func asStored(job *api.Job) {
	for _, group := range job.TaskGroups {
		if group.Scaling != nil {
			group.Scaling.ID, group.Scaling.CreateIndex, group.Scaling.ModifyIndex = "stored", 1, 1
		}
	}
	job.Version, job.CreateIndex, job.ModifyIndex, job.Status = new(uint64(3)), new(uint64(1)), new(uint64(2)), new("running")
}

// inOrder sorts neighbours of one name, of which the real program's order is not
// the same each time.
func inOrder(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = inOrder(v[name])
		}
		if objects, ok := v["Objects"].([]any); ok {
			slices.SortStableFunc(objects, func(a, b any) int {
				if a.(map[string]any)["Name"] != b.(map[string]any)["Name"] {
					return 0
				}
				textA, _ := json.Marshal(a)
				textB, _ := json.Marshal(b)
				return strings.Compare(string(textA), string(textB))
			})
		}
	case []any:
		for i := range v {
			v[i] = inOrder(v[i])
		}
	}
	return v
}

// planned asks the real program for the plan of the change.
func planned(t *testing.T, old, changed []byte, c *diffCase) {
	t.Helper()
	ask(t, http.MethodDelete, "/v1/job/web?purge=true", nil)
	if old != nil {
		status, answer := ask(t, http.MethodPut, "/v1/jobs", map[string]json.RawMessage{"Job": old})
		require.Equal(t, http.StatusOK, status, answer)
	}
	status, answer := ask(t, http.MethodPut, "/v1/job/web/plan", map[string]any{"Job": json.RawMessage(changed), "Diff": true})
	require.Equal(t, http.StatusOK, status, answer)
	var plan api.JobPlanResponse
	require.NoError(t, json.Unmarshal([]byte(answer), &plan))
	c.Updates = plan.Annotations.DesiredTGUpdates
	var err error
	c.Diff, err = json.Marshal(withoutNulls(generic(t, plan.Diff)))
	require.NoError(t, err)
	if old != nil {
		status, answer = ask(t, http.MethodPut, "/v1/jobs", map[string]json.RawMessage{"Job": changed})
		if c.Refused = ""; status != http.StatusOK {
			c.Refused = answer
			return
		}
		_, answer = ask(t, http.MethodGet, "/v1/job/web", nil)
		c.Version = *decode(t, []byte(answer)).Version
	}
}

package jobs_test

import (
	"testing"
	"time"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// canonical is the base job with changes, as the servers keep it.
func canonical(t *testing.T, c changes) *api.Job {
	t.Helper()
	job := decode(t, baseWith(t, c))
	jobs.Canonicalize(job)
	return job
}

func parameterized(config map[string]any) changes {
	return changes{"Type": "batch", "ParameterizedJob": config}
}

func TestCheckDispatchInTheWordsOfTheRealProgram(t *testing.T) {
	t.Parallel()
	demanding := parameterized(map[string]any{
		"Payload": "required", "MetaRequired": []any{"b", "a"}, "MetaOptional": []any{"c"},
	})
	payload := []byte("hi")
	stopped := parameterized(nil)
	stopped["ParameterizedJob"], stopped["Stop"] = map[string]any{}, true
	for _, c := range []struct {
		job     changes
		request api.JobDispatchRequest
		want    string
	}{
		{changes{}, api.JobDispatchRequest{}, `Specified job "web" is not a parameterized job`},
		{stopped, api.JobDispatchRequest{}, `Specified job "web" is stopped`},
		{parameterized(map[string]any{}), api.JobDispatchRequest{Payload: make([]byte, 16385)}, "Payload exceeds maximum size; 16385 > 16384"},
		{parameterized(map[string]any{}), api.JobDispatchRequest{Priority: 101}, "dispatch job priority must be between [1, 100]"},
		{parameterized(map[string]any{}), api.JobDispatchRequest{Priority: -1}, "dispatch job priority must be between [1, 100]"},
		{parameterized(map[string]any{}), api.JobDispatchRequest{Meta: map[string]string{"a": "b"}}, "Dispatch request included unpermitted metadata keys: [a]"},
		{parameterized(map[string]any{"Payload": "forbidden"}), api.JobDispatchRequest{Payload: payload}, "Payload provided but forbidden by parameterized job"},
		{demanding, api.JobDispatchRequest{}, "Payload is not provided but required by parameterized job"},
		{demanding, api.JobDispatchRequest{Payload: payload}, "Dispatch did not provide required meta keys: [b a]"},
		{demanding, api.JobDispatchRequest{Payload: payload, Meta: map[string]string{"b": ""}}, "Dispatch did not provide required meta keys: [a]"},
		{demanding, api.JobDispatchRequest{Payload: payload, Meta: map[string]string{"z": "", "d": ""}}, "Dispatch request included unpermitted metadata keys: [d z]"},
		{demanding, api.JobDispatchRequest{Payload: payload, Meta: map[string]string{"a": "", "b": "1", "c": ""}}, ""},
		{parameterized(map[string]any{}), api.JobDispatchRequest{Payload: make([]byte, 16384), Priority: 100}, ""},
	} {
		if err := jobs.CheckDispatch(canonical(t, c.job), &c.request); c.want == "" {
			assert.NoError(t, err)
		} else {
			assert.EqualError(t, err, c.want)
		}
	}
}

func TestDispatchMakesAChild(t *testing.T) {
	t.Parallel()
	set := parameterized(map[string]any{"MetaRequired": []any{"a"}})
	set["Meta"] = map[string]any{"a": "parent's", "q": "kept"}
	parent := canonical(t, set)
	asStored(parent)
	now := time.Unix(1795661024, 126839323)
	request := &api.JobDispatchRequest{Meta: map[string]string{"a": "own"}, Payload: []byte("hi"), Priority: 70}
	child := jobs.Dispatch(parent, request, "token", now, "09c98fcd")
	require.Equal(t, "web/dispatch-1795661024-09c98fcd", *child.ID)
	assert.Equal(t, *child.ID, *child.Name)
	assert.Equal(t, "web", *child.ParentID)
	assert.Equal(t, map[string]string{"a": "own", "q": "kept"}, child.Meta)
	assert.Equal(t, map[string]string{"a": "parent's", "q": "kept"}, parent.Meta)
	assert.Equal(t, 70, *child.Priority)
	assert.Equal(t, "hi", string(child.Payload))
	assert.Equal(t, "token", *child.DispatchIdempotencyToken)
	assert.True(t, child.Dispatched)
	assert.False(t, child.IsParameterized(), "it cannot be dispatched again")
	assert.Equal(t, now.UnixNano(), *child.SubmitTime)
	assert.Zero(t, *child.Version)

	child = jobs.Dispatch(parent, &api.JobDispatchRequest{IdPrefixTemplate: "foo-bar"}, "", now, "b6a8691b")
	assert.Equal(t, "web/dispatch-foo-bar-1795661024-b6a8691b", *child.ID)
	assert.Equal(t, 50, *child.Priority)
	assert.Equal(t, parent.Meta, child.Meta)
}

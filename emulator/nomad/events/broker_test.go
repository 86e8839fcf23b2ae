package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/events"
	"github.com/drydock/drydock/emulator/nomad/state"
	"github.com/drydock/drydock/emulator/store"
)

func commit(index uint64, ids ...string) store.Commit {
	c := store.Commit{Index: index}
	for _, id := range ids {
		c.Changes = append(c.Changes, store.Change{Table: state.TableEvaluations, After: &api.Evaluation{ID: id, JobID: "job-" + id, Namespace: "default"}})
	}
	return c
}

func everything(*events.Event) bool { return true }

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func next(t *testing.T, s *events.Subscription) (uint64, []string) {
	t.Helper()
	index, list, err := s.Next(within(t))
	require.NoError(t, err)
	var keys []string
	for _, e := range list {
		keys = append(keys, e.Key)
	}
	return index, keys
}

func TestASubscriberGetsWhatIsKeptAndWhatComes(t *testing.T) {
	t.Parallel()
	b := events.New()
	b.Observe(commit(3, "a"))
	b.Observe(commit(4))
	b.Observe(commit(7, "c"))
	all, later := b.Subscribe(0, everything), b.Subscribe(5, everything)
	index, keys := next(t, all)
	assert.EqualValues(t, 3, index)
	assert.Equal(t, []string{"a"}, keys)
	index, keys = next(t, all)
	assert.EqualValues(t, 7, index)
	assert.Equal(t, []string{"c"}, keys)
	index, _ = next(t, later)
	assert.EqualValues(t, 7, index)
	go b.Observe(commit(8, "d"))
	_, keys = next(t, all)
	assert.Equal(t, []string{"d"}, keys)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := b.Subscribe(9, everything).Next(ended)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestEachEvaluationHasABatch(t *testing.T) {
	t.Parallel()
	b := events.New()
	c := commit(3, "a", "b")
	c.Changes = append(c.Changes, store.Change{Table: state.TableDeployments, After: &api.Deployment{ID: "d"}})
	b.Observe(c)
	all := b.Subscribe(0, everything)
	index, keys := next(t, all)
	assert.EqualValues(t, 3, index)
	assert.Equal(t, []string{"a"}, keys)
	index, keys = next(t, all)
	assert.EqualValues(t, 3, index)
	assert.Equal(t, []string{"b", "d"}, keys)
}

func TestOnlyTheLastBatchesAreKept(t *testing.T) {
	t.Parallel()
	b := events.New()
	for i := range uint64(250) {
		b.Observe(commit(i+1, fmt.Sprint(i+1)))
	}
	index, _ := next(t, b.Subscribe(0, everything))
	assert.EqualValues(t, 151, index)
}

func TestASubscriberThatDoesNotKeepUpIsLetGo(t *testing.T) {
	t.Parallel()
	b := events.New()
	slow := b.Subscribe(0, everything)
	for i := range uint64(10_002) {
		b.Observe(commit(i+1, "a"))
	}
	_, _, err := slow.Next(within(t))
	assert.ErrorIs(t, err, events.ErrClosed)
}

func TestTopics(t *testing.T) {
	t.Parallel()
	b := events.New()
	b.Observe(commit(1, "a", "b"))
	for name, test := range map[string]struct {
		topics []string
		keys   []string
	}{
		"none is all":            {nil, []string{"a"}},
		"a topic":                {[]string{"Evaluation"}, []string{"a"}},
		"a key":                  {[]string{"Evaluation:b"}, []string{"b"}},
		"a key of another thing": {[]string{"Evaluation:job-a"}, []string{"a"}},
		"any topic":              {[]string{"*:b"}, []string{"b"}},
		"several":                {[]string{"Evaluation:c", "Evaluation:b", "Node"}, []string{"b"}},
	} {
		topics, err := events.ParseTopics(test.topics)
		require.NoError(t, err, name)
		_, keys := next(t, b.Subscribe(0, topics.Wants))
		assert.Equal(t, test.keys, keys, name)
	}
	_, err := events.ParseTopics([]string{"Evaluation:::*"})
	var bad *events.TopicError
	require.ErrorAs(t, err, &bad)
	assert.Contains(t, bad.Error(), "Invalid key value pair")
}

func TestAnEventInJSON(t *testing.T) {
	t.Parallel()
	b := events.New()
	job := &api.Job{ID: new("web"), Namespace: new("default")}
	allocation := &state.Allocation{Allocation: api.Allocation{ID: "1", JobID: "web", DeploymentID: "d", Namespace: "default", Job: job}}
	node := &state.Node{Node: api.Node{ID: "n"}, Secret: "hidden"}
	b.Observe(store.Commit{Index: 5, Cause: "PlanResult", Changes: []store.Change{
		{Table: state.TableAllocations, After: allocation}, {Table: state.TableNodes, Before: node},
		{Table: state.TableJobVersions, After: job}, {Table: state.TableEvaluations, Before: &api.Evaluation{}},
	}})
	_, list, err := b.Subscribe(0, everything).Next(within(t))
	require.NoError(t, err)
	require.Len(t, list, 2, "versions of a job and deleted evaluations are no events")
	var read api.Event
	require.NoError(t, json.Unmarshal(list[0].JSON(), &read))
	assert.Equal(t, api.TopicAllocation, read.Topic)
	assert.Equal(t, "PlanResult", read.Type)
	assert.Equal(t, []string{"web", "d"}, read.FilterKeys)
	payload, err := read.Allocation()
	require.NoError(t, err)
	assert.Equal(t, "1", payload.ID)
	assert.Nil(t, payload.Job)
	assert.Contains(t, string(list[1].JSON()), "NodeDeregistration")
	assert.NotContains(t, string(list[1].JSON()), "hidden")
}

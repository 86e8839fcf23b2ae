package consul

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

func fire(t *testing.T, c *Consul, nameAndQuery, payload string) (int, string) {
	t.Helper()
	status, _, answer := ask(t, c, http.MethodPut, "/v1/event/fire/"+nameAndQuery, strings.NewReader(payload))
	return status, answer
}

func TestAnEventIsToldToItsReceivers(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{Node: "first"}, {Node: "second"}}}}})
	registerNode(t, c, "first")
	registerNode(t, c, "second")
	require.NoError(t, c.primary().store.Write(func(tx *state.Tx) error {
		return tx.PutService(state.Service{Node: "second", ID: "web", Service: "web", Tags: []string{"v1"}})
	}))
	for i, test := range []struct {
		query         string
		first, second bool
	}{
		{"", true, true},
		{"?node=fir", true, false},
		{"?service=^web$", false, true},
		{"?service=web&tag=v[12]", false, true},
		{"?service=web&tag=v2", false, false},
		{"?node=first&service=web", false, false},
	} {
		name := fmt.Sprint("e", i)
		status, answer := fire(t, c, name+test.query, "")
		require.Equal(t, http.StatusOK, status, answer)
		for j, want := range []bool{test.first, test.second} {
			list, _ := c.primary().agents[j].events.list()
			assert.Equal(t, want, len(list) > 0 && list[len(list)-1].Name == name, "%+v, agent %d", test, j)
		}
	}
}

func TestAnEventIsAnsweredAndListed(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	_, header, body := ask(t, c, http.MethodGet, "/v1/event/list", nil)
	assert.Equal(t, "[]", body)
	assert.Equal(t, "1", header.Get("X-Consul-Index"))

	_, answer := fire(t, c, "deploy", "payload")
	var fired api.UserEvent
	require.NoError(t, json.Unmarshal([]byte(answer), &fired))
	want := fmt.Sprintf(`{"ID":"%s","Name":"deploy","Payload":"cGF5bG9hZA==",`+
		`"NodeFilter":"","ServiceFilter":"","TagFilter":"","Version":1,"LTime":`, fired.ID)
	assert.Equal(t, want+"0}", answer)
	_, header, body = ask(t, c, http.MethodGet, "/v1/event/list", nil)
	assert.Equal(t, "["+want+"2}]", body)
	index := officialClient(t, c).Event().IDToIndex(fired.ID)
	assert.Equal(t, fmt.Sprint(index), header.Get("X-Consul-Index"))
	_, _, body = ask(t, c, http.MethodGet, "/v1/event/list?name=other", nil)
	assert.Equal(t, "[]", body)
}

func TestAnEventIsAwaited(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	events := officialClient(t, c).Event()
	id, _, err := events.Fire(&api.UserEvent{Name: "first"}, nil)
	require.NoError(t, err)
	came := make(chan error, 1)
	go func() {
		list, _, err := events.List("", &api.QueryOptions{WaitIndex: events.IDToIndex(id)})
		if err == nil && len(list) != 2 {
			err = fmt.Errorf("%d events", len(list))
		}
		came <- err
	}()
	_, _, err = events.Fire(&api.UserEvent{Name: "second"}, nil)
	require.NoError(t, err)
	select {
	case err := <-came:
		assert.NoError(t, err)
	case <-time.After(10 * time.Second):
		assert.Fail(t, "the event does not wake who waits")
	}
	_, meta, err := events.List("none", &api.QueryOptions{WaitIndex: 1, WaitTime: time.Millisecond})
	require.NoError(t, err)
	assert.EqualValues(t, 1, meta.LastIndex)
}

func TestAWrongEventIsRefusedLikeByTheRealProgram(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for _, test := range []struct {
		nameAndQuery string
		payload      int
		status       int
		answer       string
	}{
		{"", 0, 400, "Missing name"},
		{"x", maximumPayload, 200, ""},
		{"x", maximumPayload + 1, 413, "Event payload too large, received 301 bytes, max size: 300 bytes. " +
			"User events should be kept small for efficient gossip propagation."},
		{"x?node=(", 0, 500, "Invalid node filter: error parsing regexp: missing closing ): `(`"},
		{"x?service=(", 0, 500, "Invalid service filter: error parsing regexp: missing closing ): `(`"},
		{"x?service=a&tag=(", 0, 500, "Invalid tag filter: error parsing regexp: missing closing ): `(`"},
		{"x?tag=a", 0, 500, "Cannot provide tag filter without service filter"},
	} {
		status, answer := fire(t, c, test.nameAndQuery, string(bytes.Repeat([]byte{'x'}, test.payload)))
		assert.Equal(t, test.status, status, test.nameAndQuery)
		if test.status != http.StatusOK {
			assert.Equal(t, test.answer, answer, test.nameAndQuery)
		}
	}
}

func TestOldEventsAreForgotten(t *testing.T) {
	t.Parallel()
	var ring eventRing
	for i := range keptEvents + 1 {
		ring.add(event{LTime: uint64(i)})
	}
	list, _ := ring.list()
	assert.Len(t, list, keptEvents)
	assert.EqualValues(t, 1, list[0].LTime)
}

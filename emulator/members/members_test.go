package members_test

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/members"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pool makes a pool with one member that others can join at the address.
func pool(t *testing.T, name string) (*members.Pool, string) {
	t.Helper()
	p := members.New(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { assert.NoError(t, p.Close()) })
	p.Add(api.AgentMember{Name: name, Addr: "127.0.0.1", Tags: map[string]string{"dc": "dc1"}})
	address, err := p.Listen("127.0.0.1:0")
	require.NoError(t, err)
	return p, address.String()
}

// statuses are those of a pool's members by name.
func statuses(p *members.Pool) map[string]int {
	all := map[string]int{}
	for _, m := range p.List() {
		all[m.Name] = m.Status
	}
	return all
}

func eventually(t *testing.T, p *members.Pool, want map[string]int) {
	t.Helper()
	require.EventuallyWithT(t, func(t *assert.CollectT) { assert.Equal(t, want, statuses(p)) }, 10*time.Second, time.Millisecond)
}

func TestPoolsJoin(t *testing.T) {
	t.Parallel()
	a, at := pool(t, "a")
	b, _ := pool(t, "b")
	require.NoError(t, b.Join(t.Context(), at))
	assert.Equal(t, map[string]int{"a": members.Alive, "b": members.Alive}, statuses(b))
	eventually(t, a, map[string]int{"a": members.Alive, "b": members.Alive})
	c, _ := pool(t, "c")
	require.NoError(t, c.Join(t.Context(), at))
	eventually(t, b, map[string]int{"a": members.Alive, "b": members.Alive, "c": members.Alive})
	assert.Equal(t, "dc1", c.List()[1].Tags["dc"])
}

func TestWhoLeavesIsNotTakenForFailed(t *testing.T) {
	t.Parallel()
	a, at := pool(t, "a")
	b, _ := pool(t, "b")
	c, _ := pool(t, "c")
	require.NoError(t, b.Join(t.Context(), at))
	require.NoError(t, c.Join(t.Context(), at))
	b.Leave("b")
	assert.Equal(t, members.Left, statuses(a)["b"], "the others know when Leave returns")
	require.NoError(t, b.Close())
	require.NoError(t, c.Close())
	eventually(t, a, map[string]int{"a": members.Alive, "b": members.Left, "c": members.Failed})
	require.NoError(t, a.ForceLeave("c", false))
	require.NoError(t, a.ForceLeave("b", true))
	require.NoError(t, a.ForceLeave("a", true), "who is alive stays")
	assert.Equal(t, map[string]int{"a": members.Alive, "c": members.Left}, statuses(a))
	var unknown *members.NotFoundError
	assert.ErrorAs(t, a.ForceLeave("nobody", false), &unknown)
}

func TestWhoComesBackIsAlive(t *testing.T) {
	t.Parallel()
	a, at := pool(t, "a")
	b, _ := pool(t, "b")
	require.NoError(t, b.Join(t.Context(), at))
	require.NoError(t, b.Close())
	eventually(t, a, map[string]int{"a": members.Alive, "b": members.Failed})
	again, _ := pool(t, "b")
	require.NoError(t, again.Join(t.Context(), at))
	eventually(t, a, map[string]int{"a": members.Alive, "b": members.Alive})
}

func TestJoiningItself(t *testing.T) {
	t.Parallel()
	a, at := pool(t, "a")
	require.NoError(t, a.Join(t.Context(), at))
	assert.Equal(t, map[string]int{"a": members.Alive}, statuses(a))
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	a, _ := pool(t, "a")
	var failed *net.OpError
	assert.ErrorAs(t, a.Join(t.Context(), "127.0.0.1:1"), &failed)
}

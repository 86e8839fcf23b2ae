package nomad

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheSchedulerIsConfigured(t *testing.T) {
	t.Parallel()
	operator := connect(t, start(t, Options{})).Operator()
	first, _, err := operator.SchedulerGetConfiguration(nil)
	require.NoError(t, err)
	assert.Equal(t, api.SchedulerAlgorithmBinpack, first.SchedulerConfig.SchedulerAlgorithm)
	assert.True(t, first.SchedulerConfig.PreemptionConfig.SystemSchedulerEnabled)

	spread := &api.SchedulerConfiguration{SchedulerAlgorithm: api.SchedulerAlgorithmSpread, MemoryOversubscriptionEnabled: true}
	set, _, err := operator.SchedulerSetConfiguration(spread, nil)
	require.NoError(t, err)
	assert.True(t, set.Updated)
	second, _, err := operator.SchedulerGetConfiguration(nil)
	require.NoError(t, err)
	assert.Equal(t, api.SchedulerAlgorithmSpread, second.SchedulerConfig.SchedulerAlgorithm)
	assert.Greater(t, second.SchedulerConfig.ModifyIndex, first.SchedulerConfig.ModifyIndex)

	late := &api.SchedulerConfiguration{ModifyIndex: first.SchedulerConfig.ModifyIndex}
	set, _, err = operator.SchedulerCASConfiguration(late, nil)
	require.NoError(t, err)
	assert.False(t, set.Updated, "somebody else was first")
	now := &api.SchedulerConfiguration{ModifyIndex: second.SchedulerConfig.ModifyIndex}
	set, _, err = operator.SchedulerCASConfiguration(now, nil)
	require.NoError(t, err)
	assert.True(t, set.Updated)
	third, _, err := operator.SchedulerGetConfiguration(nil)
	require.NoError(t, err)
	assert.Equal(t, api.SchedulerAlgorithmSpread, third.SchedulerConfig.SchedulerAlgorithm, "what is not said stays")
	_, _, err = operator.SchedulerSetConfiguration(&api.SchedulerConfiguration{SchedulerAlgorithm: "random"}, nil)
	assert.ErrorContains(t, err, "invalid scheduler algorithm: random")
}

func TestAPausedSchedulerPlacesNothing(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	_, _, err := c.Operator().SchedulerSetConfiguration(&api.SchedulerConfiguration{PauseEvalBroker: true}, nil)
	require.NoError(t, err)
	_, _, err = c.Jobs().Register(mockJob("web", 1), nil)
	require.NoError(t, err)
	measured, _, err := c.Operator().MetricsSummary(nil)
	require.NoError(t, err)
	for _, ready := range gaugesNamed(measured, "nomad.nomad.broker.total_ready", "host") {
		assert.EqualValues(t, 1, ready)
	}
	assert.Empty(t, running(t, c, "web", 0))
	_, _, err = c.Operator().SchedulerSetConfiguration(&api.SchedulerConfiguration{}, nil)
	require.NoError(t, err)
	running(t, c, "web", 1)
}

func TestThereIsOneServer(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Server: "here", RPCPort: 5647}}})
	operator := connect(t, n).Operator()
	raft, err := operator.RaftGetConfiguration(nil)
	require.NoError(t, err)
	require.Len(t, raft.Servers, 1)
	only := raft.Servers[0]
	assert.Equal(t, "here.global", only.Node)
	assert.Equal(t, "127.0.0.1:5647", only.Address)
	assert.True(t, only.Leader)
	assert.ErrorContains(t, operator.RaftRemovePeerByID("none", nil), `id "none" was not found in the Raft configuration`)
	assert.ErrorContains(t, operator.RaftRemovePeerByAddress("none", nil), `address "none" was not found in the Raft configuration`)
	assert.Error(t, operator.RaftRemovePeerByID(only.ID, nil))
	require.NoError(t, operator.RaftTransferLeadershipByID(only.ID, nil), "it leads already")
	assert.Error(t, operator.RaftTransferLeadershipByID("none", nil))
	health, _, err := operator.AutopilotServerHealth(nil)
	require.NoError(t, err)
	assert.True(t, health.Healthy)
	assert.Equal(t, only.ID, health.Leader)
}

func TestAutopilotIsConfigured(t *testing.T) {
	t.Parallel()
	operator := connect(t, start(t, Options{})).Operator()
	first, _, err := operator.AutopilotGetConfiguration(nil)
	require.NoError(t, err)
	assert.Equal(t, 10*time.Second, first.ServerStabilizationTime)
	assert.True(t, first.CleanupDeadServers)
	changed := *first
	changed.MaxTrailingLogs = 7
	_, err = operator.AutopilotSetConfiguration(&changed, nil)
	require.NoError(t, err)
	second, _, err := operator.AutopilotGetConfiguration(nil)
	require.NoError(t, err)
	assert.EqualValues(t, 7, second.MaxTrailingLogs)
	updated, _, err := operator.AutopilotCASConfiguration(first, nil)
	require.NoError(t, err)
	assert.False(t, updated, "somebody else was first")
	updated, _, err = operator.AutopilotCASConfiguration(second, nil)
	require.NoError(t, err)
	assert.True(t, updated)
}

func TestWhatIsOfTheEnterpriseEditionIsRefused(t *testing.T) {
	t.Parallel()
	operator := connect(t, start(t, Options{})).Operator()
	_, _, err := operator.LicenseGet(nil)
	assert.ErrorContains(t, err, "Nomad Enterprise only endpoint")
	_, err = operator.LicensePut("x", nil)
	assert.ErrorContains(t, err, "Nomad Enterprise only endpoint")
	check, _, err := operator.UpgradeCheckVaultWorkloadIdentity(nil)
	require.NoError(t, err)
	assert.True(t, check.Ready())
}

func TestOperatorsNeedTheirPolicy(t *testing.T) {
	t.Parallel()
	operator := connect(t, start(t, Options{ACL: true})).Operator()
	for name, ask := range map[string]func() error{
		"the scheduler": func() error { _, _, err := operator.SchedulerGetConfiguration(nil); return err },
		"its change": func() error {
			_, _, err := operator.SchedulerSetConfiguration(&api.SchedulerConfiguration{}, nil)
			return err
		},
		"Raft":      func() error { _, err := operator.RaftGetConfiguration(nil); return err },
		"a peer":    func() error { return operator.RaftRemovePeerByID("x", nil) },
		"autopilot": func() error { _, _, err := operator.AutopilotGetConfiguration(nil); return err },
		"health":    func() error { _, _, err := operator.AutopilotServerHealth(nil); return err },
	} {
		assert.ErrorContains(t, ask(), "Permission denied", name)
	}
}

package client

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
)

func TestRestartTracker(t *testing.T) {
	t.Parallel()
	begin := time.Unix(1000, 0)
	type end struct {
		after   time.Duration // since the first start
		success bool
		restart bool
		delay   time.Duration
	}
	for name, c := range map[string]struct {
		mode   string
		batch  bool
		jitter float64
		ends   []end
	}{
		"fail: two attempts": {mode: "fail", ends: []end{
			{1 * time.Second, false, true, 8 * time.Second}, {2 * time.Second, false, true, 8 * time.Second}, {3 * time.Second, false, false, 0}}},
		"fail: a new interval begins anew": {mode: "fail", ends: []end{
			{1 * time.Second, false, true, 8 * time.Second}, {2 * time.Second, false, true, 8 * time.Second},
			{61 * time.Second, false, true, 8 * time.Second}, {62 * time.Second, false, true, 8 * time.Second}, {63 * time.Second, false, false, 0}}},
		"delay: waits for the rest of the interval": {mode: "delay", ends: []end{
			{1 * time.Second, false, true, 8 * time.Second}, {2 * time.Second, false, true, 8 * time.Second},
			{20 * time.Second, false, true, 40 * time.Second}, {61 * time.Second, false, true, 8 * time.Second}, {62 * time.Second, false, true, 8 * time.Second}}},
		"jitter is a quarter at most":      {mode: "fail", jitter: 1, ends: []end{{1 * time.Second, false, true, 10 * time.Second}}},
		"a service that succeeds restarts": {mode: "fail", ends: []end{{1 * time.Second, true, true, 8 * time.Second}}},
		"a batch task that succeeds ends":  {mode: "fail", batch: true, ends: []end{{1 * time.Second, true, false, 0}}},
		"a batch task that fails restarts": {mode: "fail", batch: true, ends: []end{{1 * time.Second, false, true, 8 * time.Second}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := restartTracker{
				policy:    &api.RestartPolicy{Attempts: new(2), Interval: new(time.Minute), Delay: new(8 * time.Second), Mode: &c.mode},
				mayFinish: c.batch, jitter: func() float64 { return c.jitter },
			}
			r.started(begin)
			for i, e := range c.ends {
				got := r.ended(begin.Add(e.after), e.success)
				require.Equal(t, e.restart, got.restart, "end %d", i)
				require.Equal(t, e.delay, got.delay, "end %d", i)
			}
		})
	}
}

func TestRestartsAreCounted(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "exit", "argument", "0", "attempts", "3")))
	eventually(t, "the task ends", dead(n, t, "one"))
	a := last(t, n, "one")
	require.Equal(t, api.AllocClientStatusFailed, a.Status)
	require.Equal(t, 3, a.Tasks[0].Restarts, "exit 0 of a service is restarted as well")
	require.Equal(t, api.TaskNotRestarting, a.Tasks[0].Event.Type)
	require.Equal(t, `exit code 0: Exceeded allowed attempts 3 in interval 1h0m0s and mode is "fail"`, a.Tasks[0].Event.Message)
	require.False(t, a.Healthy)
}

func TestRestartModeDelayWaits(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.NoError(t, n.Register(within(t), parse(t, "task", "mode", "exit", "argument", "1", "attempts", "1", "restart_mode", "delay")))
	eventually(t, "it waits for the next interval", func() bool {
		task := last(t, n, "one").Tasks[0]
		return task.Restarts == 2 && task.State == taskPending
	})
	require.Contains(t, last(t, n, "one").Tasks[0].Event.Message, "applying a delay")
	require.NoError(t, n.Deregister(within(t), "one"), "a wait ends at once")
	require.False(t, last(t, n, "one").Tasks[0].Failed)
}

func TestCheckRestart(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.NoError(t, n.Register(within(t), parse(t, "restart")))
	eventually(t, "the check restarts the task, which is well then", func() bool {
		a := last(t, n, "restart")
		return a.Tasks[0].Restarts == 1 && a.Healthy
	})
}

func TestLeaderAndSiblings(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"0": "complete", "3": "failed"} {
		n := start(t, Options{})
		require.NoError(t, n.Register(within(t), parse(t, "leader", "code", code)))
		eventually(t, "both end", func() bool {
			a := last(t, n, "leader")
			return a.Tasks[0].State == taskDead && a.Tasks[1].State == taskDead
		})
		a := last(t, n, "leader")
		require.Equal(t, want, a.Status)
		require.False(t, a.Tasks[1].Failed)
	}
}

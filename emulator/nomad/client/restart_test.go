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

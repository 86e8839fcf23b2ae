package services

import (
	"testing"
	"testing/synctest"
	"time"

	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
)

func TestCheckRestart(t *testing.T) {
	t.Parallel()
	const critical, warning, passing = consul.HealthCritical, consul.HealthWarning, consul.HealthPassing
	type step struct {
		after  time.Duration
		status string // or "begin"
	}
	for name, c := range map[string]struct {
		ignoreWarnings bool
		steps          []step
		want           []time.Duration // since the beginning
	}{
		"after the grace and the other probes":   {false, []step{{0, critical}}, []time.Duration{4 * time.Second}},
		"counted from the first of the failures": {false, []step{{3 * time.Second, critical}, {time.Second, critical}}, []time.Duration{5 * time.Second}},
		"well in between":                        {false, []step{{0, critical}, {3 * time.Second, passing}, {time.Second, critical}}, []time.Duration{6 * time.Second}},
		"never unwell":                           {false, []step{{0, passing}}, nil},
		"a warning is a failure":                 {false, []step{{0, warning}}, []time.Duration{4 * time.Second}},
		"unless ignored":                         {true, []step{{0, warning}}, nil},
		"once for each start":                    {false, []step{{0, critical}, {30 * time.Second, critical}}, []time.Duration{4 * time.Second}},
		"again after the next start":             {false, []step{{0, critical}, {10 * time.Second, "begin"}}, []time.Duration{4 * time.Second, 14 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fired := make(chan time.Duration, 10)
				start := time.Now()
				r := &restart{
					spec:     &api.CheckRestart{Limit: 3, Grace: new(2 * time.Second), IgnoreWarnings: c.ignoreWarnings},
					interval: time.Second, began: start, fire: func() { fired <- time.Since(start) },
				}
				for _, s := range c.steps {
					time.Sleep(s.after)
					if s.status == "begin" {
						r.begin()
					} else {
						r.observe(s.status)
					}
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				r.stop()
				close(fired)
				var got []time.Duration
				for at := range fired {
					got = append(got, at)
				}
				assert.Equal(t, c.want, got)
			})
		})
	}
}

func TestCheckRestartStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &restart{spec: &api.CheckRestart{Limit: 1, Grace: new(time.Second)}, began: time.Now(), fire: func() { t.Error("it was stopped") }}
		r.observe(consul.HealthCritical)
		r.stop()
		time.Sleep(time.Minute)
		(*restart)(nil).observe(consul.HealthCritical) // a check without one
	})
}

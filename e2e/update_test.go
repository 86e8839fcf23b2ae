package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
)

// updated is the service that the updates are tried on.
const updated = "uploads"

// canaries is a version of the job of which as many instances as it has are to
// run beside the old ones, on ports of their own, and healthy for a moment only.
func (r run) canaries(version string) (job jobs.Job, count int) {
	r.Helper()
	count = *r.job(updated).TaskGroups[0].Count
	job = r.with(updated, map[string]string{"version": version, "canaries": strconv.Itoa(count), "http_port": "0"})
	update := job.TaskGroups[0].Update
	require.Equal(r, count, *update.Canary)
	require.True(r, *update.AutoRevert, "the job file has auto_revert")
	update.MinHealthyTime = new(time.Second)
	return job, count
}

// A new version runs beside the old one until it is promoted, and nobody who
// calls the service notices.
func updateIsBlueGreen(r run) {
	before, count := *r.job(updated).Version, 0
	old := r.instances(updated, len(r.instancesOf(updated)))
	calls := r.calling(updated)
	blue, count := r.canaries("e2e-green")
	version := r.register(blue)
	r.deployment(updated, version, func(d *nomad.Deployment) bool {
		state := d.TaskGroups[updated]
		return len(state.PlacedCanaries) == count && state.HealthyAllocs == count
	})
	both := r.instances(updated, len(old)+count)
	calls.reaches(both)

	deployment := r.deployment(updated, version, hasStatus(nomad.DeploymentStatusRunning))
	r.await("promote", func(ctx context.Context) error {
		_, _, err := r.nomad.Deployments().PromoteAll(deployment.ID, new(nomad.WriteOptions).WithContext(ctx))
		return err
	})
	r.deployment(updated, version, hasStatus(nomad.DeploymentStatusSuccessful))
	left := r.instances(updated, count)
	for _, instance := range old {
		assert.NotContains(r, left, instance, "the old instance is gone")
	}
	calls.end()
	r.restore(updated, before)
}

// A version that cannot become healthy is taken back, and the old one serves on.
func badVersionIsRolledBack(r run) {
	good := r.job(updated)
	old := r.instances(updated, *good.TaskGroups[0].Count)
	calls := r.calling(updated)
	bad, _ := r.canaries("e2e-bad")
	update := bad.TaskGroups[0].Update
	update.HealthyDeadline = new(6 * time.Second)
	template := bad.TaskGroups[0].Tasks[0].Templates[0]
	wrong := strings.Replace(*template.EmbeddedTmpl, "{{ .bus }}", "nats://127.0.0.1:1", 1)
	require.NotEqual(r, *template.EmbeddedTmpl, wrong)
	template.EmbeddedTmpl = &wrong

	version := r.register(bad)
	r.deployment(updated, version, hasStatus(nomad.DeploymentStatusFailed))
	r.await("the version before", func(ctx context.Context) error {
		if now, _, err := r.nomad.Jobs().Info(updated, query(ctx)); err != nil || *now.Version <= version {
			return errors.Join(err, errors.New("it is not taken back"))
		}
		return nil
	})
	now := r.job(updated)
	assert.Equal(r, good.Meta, now.Meta)
	assert.Equal(r, good.TaskGroups[0].Tasks[0].Templates, now.TaskGroups[0].Tasks[0].Templates)
	assert.Equal(r, old, r.instances(updated, len(old)), "the same instances serve")
	calls.end()
}

// instancesOf are a service's healthy instances now.
func (r run) instancesOf(service string) (list []string) {
	r.Helper()
	r.await("instances of "+service, func(ctx context.Context) (err error) {
		list, err = r.web.instances(ctx, service)
		return err
	})
	slices.Sort(list)
	return list
}

// instances waits until a service has so many healthy instances.
func (r run) instances(service string, count int) (list []string) {
	r.Helper()
	r.await(fmt.Sprintf("%d instances of %s", count, service), func(ctx context.Context) (err error) {
		if list, err = r.web.instances(ctx, service); err == nil && len(list) != count {
			err = fmt.Errorf("consul has %d: %v", len(list), list)
		}
		return err
	})
	slices.Sort(list)
	return list
}

// caller calls a service over and over, one healthy instance after the other, as
// a gateway does that watches Consul.
type caller struct {
	run
	stop  context.CancelFunc
	group sync.WaitGroup

	mu        sync.Mutex
	instances []string
	answered  map[string]int // by instance
	failed    []error
}

func (r run) calling(service string) *caller {
	ctx, stop := context.WithCancel(r.Context())
	c := &caller{run: r, stop: stop, answered: map[string]int{}, instances: r.instancesOf(service)}
	c.group.Go(func() { c.watch(ctx, service) })
	c.group.Go(func() { c.call(ctx) })
	r.Cleanup(func() { stop(); c.group.Wait() })
	return c
}

// watch is told by Consul which instances are healthy.
func (c *caller) watch(ctx context.Context, service string) {
	index := uint64(0)
	for ctx.Err() == nil {
		options := consulQuery(ctx)
		options.WaitIndex = index
		entries, meta, err := c.consul.Health().Service(service, "", true, options)
		if err != nil {
			select {
			case <-time.After(askAgain):
			case <-ctx.Done():
			}
			continue
		}
		index = meta.LastIndex
		c.mu.Lock()
		c.instances = addresses(entries)
		c.mu.Unlock()
	}
}

func (c *caller) call(ctx context.Context) {
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
		c.mu.Lock()
		instances := c.instances
		c.mu.Unlock()
		if len(instances) == 0 {
			c.note("", fmt.Errorf("consul knows no healthy instance"))
			continue
		}
		instance := instances[turn%len(instances)]
		_, err := c.web.send(c.Context(), http.MethodGet, "http://"+instance+"/v1/uploads?limit=1", nil, nil)
		c.note(instance, err)
	}
}

func (c *caller) note(instance string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed = append(c.failed, fmt.Errorf("%s: %w", time.Now().Format("15:04:05.000"), err))
		return
	}
	c.answered[instance]++
}

// reaches waits until each of the instances has answered.
func (c *caller) reaches(instances []string) {
	c.Helper()
	c.await("every instance answers", func(context.Context) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, instance := range instances {
			if c.answered[instance] == 0 {
				return fmt.Errorf("%s has not answered", instance)
			}
		}
		return nil
	})
}

// end stops calling, and checks that every call was answered.
func (c *caller) end() {
	c.Helper()
	c.stop()
	c.group.Wait()
	assert.Empty(c, c.failed, "every call is answered")
	assert.NotEmpty(c, c.answered)
	c.Logf("calls answered by instance: %v", slices.Collect(maps.Values(c.answered)))
}

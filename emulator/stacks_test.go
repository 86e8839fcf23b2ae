package emulator_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/emulator"
)

// Twenty whole stacks live in one process at a time. That nothing of them is
// left, TestMain checks.
func TestTwentyStacksInOneProcess(t *testing.T) {
	t.Parallel()
	const count, atOnce = 20, 4
	jobs := jobFiles(map[string]string{"tiny": `job "tiny" {
  group "tiny" {
    network {
      port "http" {}
    }
    task "tiny" {
      driver = "mock_driver"
      config { run_for = "1h" }
    }
  }
}`})
	ctx := bounded(t)
	stacks := make([]*emulator.Stack, count)
	var starting errgroup.Group
	starting.SetLimit(atOnce)
	for i := range stacks {
		starting.Go(func() (err error) {
			o := emulator.Options{}
			if i%2 == 0 {
				o.Jobs = jobs
			}
			stacks[i], err = emulator.Start(ctx, o)
			return err
		})
	}
	err := starting.Wait()
	urls := map[string]bool{}
	for i, stack := range stacks {
		if stack == nil {
			continue
		}
		urls[stack.NomadURL()], urls[stack.URL("tiny")] = true, true
		for _, allocation := range stack.Allocations() {
			assert.True(t, allocation.Healthy)
		}
		assert.Len(t, stack.Allocations(), (i+1)%2)
	}
	var closing errgroup.Group
	for _, stack := range stacks {
		if stack != nil {
			closing.Go(stack.Close)
		}
	}
	require.NoError(t, closing.Wait())
	require.NoError(t, err)
	assert.Len(t, urls, count+count/2+1, "each has its own addresses")
}

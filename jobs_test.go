package main

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
)

// drains are how long the roles of this program take at most to finish what they hold.
var drains = map[string]time.Duration{
	"alerts":      alertsDrain,
	"deadletters": deadlettersDrain,
	"filter":      filterDrain,
	"inbox":       inboxDrain,
	"mailer":      mailerDrain,
	"market":      marketDrain,
	"quotes":      quotesDrain,
	"uploads":     uploadsDrain,
	"webhooks":    webhooksDrain,
}

func TestEveryRoleHasAJobThatLetsItDrain(t *testing.T) {
	t.Parallel()
	var roles []string
	for _, command := range rootCommand(func(string) string { return "" }).Commands() {
		if command.GroupID == groupRoles {
			roles = append(roles, command.Name())
		}
	}
	require.ElementsMatch(t, roles, slices.Collect(maps.Keys(drains)))
	for name, drain := range drains {
		job, err := jobs.Read(jobs.Files, name, nil)
		require.NoError(t, err)
		task := job.TaskGroups[0].Tasks[0]
		assert.Equal(t, []any{name}, task.Config["args"])
		assert.Greater(t, *task.KillTimeout, drain, "kill_timeout of %s", name)
	}
}

package jobs_test

import (
	"io/fs"
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
)

var drivers = []string{"raw_exec", "exec", "docker"}

// longestKillTimeout is the most that a Nomad client grants unless its
// max_kill_timeout says otherwise.
const longestKillTimeout = 30 * time.Second

// eachRole runs a test on the job file of each role, as each driver has it.
func eachRole(t *testing.T, test func(t *testing.T, job jobs.Job, driver string)) {
	names, err := jobs.Names(jobs.Files)
	require.NoError(t, err)
	for _, name := range names {
		for _, driver := range drivers {
			job, err := jobs.Read(jobs.Files, name, map[string]string{"driver": driver})
			require.NoError(t, err)
			if job.Part() != "" {
				continue
			}
			t.Run(name+" with "+driver, func(t *testing.T) {
				t.Parallel()
				test(t, job, driver)
			})
		}
	}
}

// only is the one group and the one task of a role's job.
func only(t *testing.T, job jobs.Job) (*api.TaskGroup, *api.Task) {
	t.Helper()
	require.Len(t, job.TaskGroups, 1)
	require.Len(t, job.TaskGroups[0].Tasks, 1)
	return job.TaskGroups[0], job.TaskGroups[0].Tasks[0]
}

func TestARoleIsOneTaskThatTheDriverCanRun(t *testing.T) {
	t.Parallel()
	eachRole(t, func(t *testing.T, job jobs.Job, driver string) {
		group, task := only(t, job)
		for _, name := range []string{*job.ID, *group.Name, task.Name, group.Services[0].Name} {
			assert.Equal(t, job.Name, name)
		}
		assert.Equal(t, driver, task.Driver)
		assert.Equal(t, "${NOMAD_ADDR_http}", task.Env["DRYDOCK_LISTEN"], "which is right on the host's network, where all of them are")
		if driver != "docker" {
			assert.Regexp(t, `^drydock(-images)?$`, task.Config["command"])
			assert.NotContains(t, task.Config, "image")
			return
		}
		assert.Regexp(t, `^drydock(-images)?:`, task.Config["image"])
		assert.Equal(t, "host", task.Config["network_mode"])
		assert.Equal(t, true, task.Config["readonly_rootfs"])
		assert.Equal(t, []any{"all"}, task.Config["cap_drop"])
		assert.Equal(t, []any{"no-new-privileges"}, task.Config["security_opt"])
		assert.NotContains(t, task.Config, "command")
	})
}

func TestARoleSurvivesWhatHappensToIt(t *testing.T) {
	t.Parallel()
	eachRole(t, func(t *testing.T, job jobs.Job, _ string) {
		group, task := only(t, job)
		assert.True(t, *group.Update.AutoRevert)
		assert.Zero(t, *group.Update.Canary, "a plain `nomad job run` comes to its end by itself")
		assert.Equal(t, "checks", *group.Update.HealthCheck)
		assert.Equal(t, "fail", *group.RestartPolicy.Mode, "what fails again and again is moved")
		assert.True(t, *group.ReschedulePolicy.Unlimited)
		assert.Equal(t, "exponential", *group.ReschedulePolicy.DelayFunction)
		assert.True(t, *group.Disconnect.Replace)
		require.Len(t, group.Spreads, 1)
		assert.Equal(t, "${meta.zone}", group.Spreads[0].Attribute)
		require.NotNil(t, group.Migrate)
		require.NotNil(t, group.Scaling)
		assert.False(t, *group.Scaling.Enabled)
		assert.Positive(t, *group.ShutdownDelay, "so that callers notice before the role stops")
		assert.LessOrEqual(t, *task.KillTimeout, longestKillTimeout, "of more a client takes off the rest")
	})
}

func TestAChecksFailureHasItsOwnConsequence(t *testing.T) {
	t.Parallel()
	eachRole(t, func(t *testing.T, job jobs.Job, _ string) {
		group, _ := only(t, job)
		require.Len(t, group.Services, 1)
		checks := map[string]api.ServiceCheck{}
		for _, check := range group.Services[0].Checks {
			checks[check.Path] = check
		}
		require.Len(t, checks, 2)
		require.Contains(t, checks, "/health/ready")
		assert.Nil(t, checks["/health/ready"].CheckRestart, "waiting for a dependency is no reason to restart")
		require.Contains(t, checks, "/health/live")
		require.NotNil(t, checks["/health/live"].CheckRestart, "hanging is")
		assert.Positive(t, checks["/health/live"].CheckRestart.Limit)
	})
}

// secret matches names of what must not be known.
var secret = regexp.MustCompile(`(?i)key|secret|password|token|credential|bus|objects|mail$`)

func TestAFileHoldsNoSecret(t *testing.T) {
	t.Parallel()
	eachRole(t, func(t *testing.T, job jobs.Job, _ string) {
		_, task := only(t, job)
		for name := range task.Env {
			assert.NotRegexp(t, secret, name, "it is for a template")
		}
		reads := regexp.MustCompile(`nomadVar "([^"]+)"`)
		setting := regexp.MustCompile(`(?m)^([A-Z_]+)=(.*)$`)
		found := 0
		for _, template := range task.Templates {
			for _, read := range reads.FindAllStringSubmatch(*template.EmbeddedTmpl, -1) {
				assert.Equal(t, "nomad/jobs/"+job.Name, read[1], "which the job alone may read")
			}
			for _, set := range setting.FindAllStringSubmatch(*template.EmbeddedTmpl, -1) {
				found++
				assert.Regexp(t, `^\{\{ \.[a-z_]+( \| toJSON)? \}\}$`, set[2], set[1])
				assert.Regexp(t, `^secrets/`, *template.DestPath)
				assert.Equal(t, "0600", *template.Perms)
				assert.True(t, *template.ErrMissingKey, "an item that is not there is no empty one")
				assert.Equal(t, "restart", *template.ChangeMode)
			}
		}
		assert.Positive(t, found)
	})
}

// variables are the blocks of the variables that a file declares, by name.
func variables(t *testing.T, name string) map[string]*hclsyntax.Body {
	t.Helper()
	text, err := fs.ReadFile(jobs.Files, name+jobs.Extension)
	require.NoError(t, err)
	file, diagnostics := hclparse.NewParser().ParseHCL(text, name)
	require.False(t, diagnostics.HasErrors(), diagnostics)
	found := map[string]*hclsyntax.Body{}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		if block.Type == "variable" {
			found[block.Labels[0]] = block.Body
		}
	}
	return found
}

func TestEveryRoleHasTheSameVariables(t *testing.T) {
	t.Parallel()
	common := []string{"datacenters", "count", "driver", "binary", "image", "user", "version", "canaries", "cpu", "memory"}
	eachRole(t, func(t *testing.T, job jobs.Job, driver string) {
		declared := variables(t, job.Name)
		for _, name := range common {
			assert.Contains(t, declared, name)
		}
		for name, body := range declared {
			for _, attribute := range []string{"type", "default", "description"} {
				assert.Contains(t, body.Attributes, attribute, name)
			}
		}

		given := map[string]string{
			"driver": driver, "datacenters": `["b"]`, "count": "3", "canaries": "3", "version": "1.2.3",
			"binary": "/opt/program", "image": "registry/image:1.2.3", "user": "nobody", "cpu": "77", "memory": "99",
		}
		changed, err := jobs.Read(jobs.Files, job.Name, given)
		require.NoError(t, err)
		group, task := only(t, changed)
		assert.Equal(t, []string{"b"}, changed.Datacenters)
		assert.Equal(t, 3, *group.Count)
		assert.Equal(t, 3, *group.Update.Canary)
		assert.Equal(t, "1.2.3", changed.Meta["version"])
		assert.Equal(t, "1.2.3", group.Services[0].Meta["version"])
		assert.Contains(t, group.Services[0].Tags, "version-1.2.3")
		assert.Contains(t, group.Services[0].CanaryTags, "canary")
		assert.NotContains(t, group.Services[0].Tags, "canary")
		assert.Equal(t, "nobody", task.User)
		assert.Equal(t, 77, *task.Resources.CPU)
		assert.Equal(t, 99, *task.Resources.MemoryMB)
		assert.GreaterOrEqual(t, *task.Resources.MemoryMaxMB, 99)
		if driver == "docker" {
			assert.Equal(t, "registry/image:1.2.3", task.Config["image"])
		} else {
			assert.Equal(t, "/opt/program", task.Config["command"])
		}
	})
}

func TestValuesThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	names, err := jobs.Names(jobs.Files)
	require.NoError(t, err)
	wrong := []struct{ variable, value, says string }{
		{"driver", "podman", "The driver is raw_exec, exec or docker."},
		{"canaries", "0.5", "The canaries are a number from 0 on."},
		{"missed", "perhaps", "What was missed is to catch_up or to skip."},
		{"private", "perhaps", "Private networks are to allow or to refuse."},
		{"digest_after", "0", "It takes one mail or more."},
	}
	tried := map[string]bool{}
	for _, name := range names {
		declared := variables(t, name)
		for _, one := range wrong {
			if declared[one.variable] == nil {
				continue
			}
			tried[one.variable] = true
			_, err := jobs.Read(jobs.Files, name, map[string]string{one.variable: one.value})
			require.ErrorContains(t, err, one.says, name)
		}
	}
	assert.Len(t, tried, len(wrong))
	_, err = jobs.Read(jobs.Files, "filter", map[string]string{"count": "33"})
	require.ErrorContains(t, err, "The count is a number from 0 to 32.")
	for _, nodes := range []string{`["a"]`, `["a","b"]`, `["a","b","b"]`, `["a","b","c","d"]`} {
		_, err = jobs.Read(jobs.Files, "minio", map[string]string{"nodes": nodes})
		require.ErrorContains(t, err, "The nodes are three that differ, or none.", nodes)
	}
	for nodes, count := range map[string]int{`[]`: 1, `["a","b","c/mnt"]`: 3} {
		job, err := jobs.Read(jobs.Files, "minio", map[string]string{"nodes": nodes})
		require.NoError(t, err)
		assert.Equal(t, count, *job.TaskGroups[0].Count)
	}
}

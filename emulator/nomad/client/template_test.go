package client

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseEnv(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want map[string]string
		err  string
	}{
		{text: "\n# comment\n  A=1\nB = two words  # and why\nexport C=\n", want: map[string]string{"A": "1", "B": "two words", "C": ""}},
		{text: `A="line\nbreak \"q\" \u00e9" # x`, want: map[string]string{"A": "line\nbreak \"q\" é"}},
		{text: `A='as it is \n # "'`, want: map[string]string{"A": `as it is \n # "`}},
		{text: `A=one 'two' "three"`, want: map[string]string{"A": "one two three"}},
		{text: "URL=nats://u:p@h:4222?a=b", want: map[string]string{"URL": "nats://u:p@h:4222?a=b"}},
		{text: "A=1\nsecret", err: "line 2 is not KEY=value"},
		{text: "A-B=secret", err: "line 1 is not KEY=value"},
		{text: `A="secret`, err: "line 1, A: a double quote is not closed"},
		{text: `A='secret`, err: "line 1, A: a single quote is not closed"},
	} {
		got, err := parseEnv(c.text)
		if c.err != "" {
			require.ErrorContains(t, err, c.err)
			require.NotContains(t, err.Error(), "secret")
			continue
		}
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got)
	}
}

func imagesVariables() map[string]map[string]string {
	return map[string]map[string]string{"nomad/jobs/images": {"bus": "nats://user:secret@host", "key": "two\nlines"}}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Variables: imagesVariables()})
	job := parse(t, "templates")
	// Keep it running, to look at its files before they are wiped.
	job.TaskGroups[0].Tasks[0].Config["args"] = []any{"task", "env-wait"}
	require.NoError(t, n.Register(within(t), job))
	eventually(t, "the task prints", func() bool { return strings.HasSuffix(stdout(t, last(t, n, "templates"), "t"), "\n") })
	a := last(t, n, "templates")
	var got struct{ Env []string }
	require.NoError(t, json.Unmarshal([]byte(stdout(t, a, "t")), &got))
	require.Contains(t, got.Env, "BUS=nats://user:secret@host")
	require.Contains(t, got.Env, "KEY=two\nlines")
	require.Contains(t, got.Env, "OPTIONAL=no")

	config := filepath.Join(a.Dir, "t", "local", "deep", "config")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.Equal(t, "red "+a.Ports["http"]+" [] nomad/jobs/images ", string(text))
	for _, file := range []string{"alloc/copy", "t/local/file"} {
		copied, err := os.ReadFile(filepath.Join(a.Dir, file))
		require.NoError(t, err)
		require.Equal(t, string(text), string(copied), file)
	}
	for path, want := range map[string]os.FileMode{config: 0o640, filepath.Join(a.Dir, "t", "secrets", "env"): 0o600,
		filepath.Join(a.Dir, "t", "secrets"): 0o700} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), path)
	}

	require.NoError(t, n.Deregister(within(t), "templates"))
	require.NoDirExists(t, filepath.Join(a.Dir, "t", "secrets"), "secrets do not outlive the allocation")
	require.FileExists(t, filepath.Join(a.Dir, "alloc", "logs", "t.stdout.0"))
}

func TestTemplateFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ data, destination, want string }{
		"missing variable": {`{{ with nomadVar "nomad/jobs/none" }}{{ .x }}{{ end }}`, "local/x",
			`template "local/x": nomadVar: there is no Nomad variable "nomad/jobs/none": there are ["nomad/jobs/images"]`},
		"namespace":         {`{{ nomadVar "a@other" }}`, "local/x", `namespace "other" does not exist`},
		"syntax":            {`{{ nope }}`, "local/x", `function "nope" not defined`},
		"Consul's keys":     {`{{ key "a" }}`, "local/x", `not available here`},
		"a command":         {`{{ plugin "id" }}`, "local/x", `disabled`},
		"outside":           {`x`, "../../../x", `outside of the allocation directory`},
		"outside, absolute": {`x`, "/etc/x", `outside of the allocation directory`},
		"outside file":      {`{{ file "/etc/hostname" }}`, "local/x", `sandbox`},
		"required":          {`{{ mustEnv "AWS_SECRET_ACCESS_KEY" }}`, "local/x", `has no AWS_SECRET_ACCESS_KEY`},
		"reference":         {`x`, "${NOMAD_TSK_DIR}/x", `${NOMAD_TSK_DIR} stands for nothing`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, Options{Variables: imagesVariables()})
			job := parse(t, "templates")
			task := job.TaskGroups[0].Tasks[0]
			task.Templates = task.Templates[:1]
			task.Templates[0].EmbeddedTmpl, task.Templates[0].DestPath = &c.data, &c.destination
			require.NoError(t, n.Register(within(t), job))
			err := n.WaitHealthy(within(t), "templates")
			var failed *TaskFailedError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, "Setup Failure", failed.Event.Type)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "secret@host")
		})
	}
}

func TestTemplateFollowsServices(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{"nomad", "consul"} {
		for _, mode := range []string{"restart", "signal", "noop"} {
			t.Run(provider+" "+mode, func(t *testing.T) {
				t.Parallel()
				n := start(t, Options{})
				require.NoError(t, n.Register(within(t), parse(t, "follower", "change_mode", mode)))
				require.NoError(t, n.WaitHealthy(within(t), "follower"))
				file := filepath.Join(last(t, n, "follower").Dir, "t", "local", "upstreams")
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				require.Empty(t, string(text))
				eventually(t, "it runs", func() bool { return stdout(t, last(t, n, "follower"), "t") != "" })

				require.NoError(t, n.Register(within(t), parse(t, "http", "provider", provider)))
				require.NoError(t, n.WaitHealthy(within(t), "http"))
				want := last(t, n, "http").Ports["http"] + "\n"
				eventually(t, "the template follows", func() bool {
					text, err := os.ReadFile(file)
					return err == nil && string(text) == want
				})
				follower := func() Task { return last(t, n, "follower").Tasks[0] }
				switch mode {
				case "restart":
					eventually(t, "the task is restarted", func() bool { return follower().Restarts == 1 && follower().State == "running" })
				case "signal":
					eventually(t, "the task is told", func() bool { return stdout(t, last(t, n, "follower"), "t") == "waiting\nnotified\n" })
				}
				if mode != "restart" {
					require.Zero(t, follower().Restarts)
				}
				require.NoError(t, n.Deregister(within(t), "http"))
				eventually(t, "the service is gone", func() bool {
					text, err := os.ReadFile(file)
					return err == nil && len(text) == 0
				})
			})
		}
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	require.NoError(t, n.Register(within(t), parse(t, "http", "count", "2")))
	require.NoError(t, n.WaitHealthy(within(t), "http"))
	services := n.Services()
	require.Len(t, services, 2)
	for i, s := range services {
		require.True(t, s.Healthy)
		require.Equal(t, "web", s.Name)
		require.Equal(t, "nomad", s.Provider)
		require.True(t, slices.Contains(s.Tags, n.Allocations()[i].Name))
		require.Equal(t, n.Allocations()[i].ID, s.AllocationID)
		require.Len(t, s.Checks, 1)
	}
	require.NotEqual(t, services[0].Port, services[1].Port)
	require.NoError(t, n.Deregister(within(t), "http"))
	require.Empty(t, n.Services())
}

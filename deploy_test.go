package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/operate/demo"
	"github.com/drydock/drydock/operate/deploy"
)

// deployWithin bounds a deployment in a test, on a busy machine.
const deployWithin = 3 * time.Minute

// deployTo runs drydock deploy against a stack's cluster.
func deployTo(t *testing.T, stack *emulator.Stack, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deployWithin)
	defer cancel()
	environment := map[string]string{"NOMAD_ADDR": stack.NomadURL(), "CONSUL_HTTP_ADDR": stack.Consul.URL("dc1")}
	var stdout, stderr bytes.Buffer
	err := run(ctx, append([]string{"deploy"}, args...), func(name string) string { return environment[name] }, &stdout, &stderr)
	assert.Empty(t, stderr.String())
	return stdout.String(), err
}

// withoutJobs is a stack whose Nomad has no job yet.
func withoutJobs(t *testing.T) *emulator.Stack {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startWithin)
	defer cancel()
	stack, err := emulator.Start(ctx, emulator.Options{Path: []string{programs(t)}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	return stack
}

// itemsOf is a file with what the roles are to read on a stack, whose parts know
// no users.
func itemsOf(t *testing.T, stack *emulator.Stack) string {
	t.Helper()
	text, err := os.ReadFile(stack.KeysFile())
	require.NoError(t, err)
	var keys map[string]string
	require.NoError(t, json.Unmarshal(text, &keys))
	text, err = json.Marshal(map[string]string{
		"bus": stack.NATSURL(), "objects": "s3+" + stack.S3URL() + "/" + emulator.Bucket,
		"access_key": "drydock", "secret_key": keys["drydock"], "public_url": "http://alerts.example",
	})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "items.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

func TestTheRolesAreDeployedAndWork(t *testing.T) {
	t.Parallel()
	stack := withoutJobs(t)
	flags := []string{
		"--skip", "inbox,market,minio,nats,postgres", "--items", itemsOf(t, stack), "--item", "mail_from=alerts@example.com",
		"--address", "market=" + strings.TrimPrefix(stack.Market.URL(), "http://"),
		"--address", "mail=" + strings.TrimPrefix(stack.Mail.SMTPURL(), "smtp://"),
	}
	plan, err := deployTo(t, stack, append(flags, "--dry-run")...)
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^uploads +new\n +writes the items access_key, bus, objects, secret_key$`, plan)

	out, err := deployTo(t, stack, flags...)
	require.NoError(t, err, out)
	assert.Regexp(t, `(?m)^ +\d+\.\d s  uploads +registered  version 0`, out)
	assert.Regexp(t, `(?m)^ +\d+\.\d s  uploads +healthy +version 0$`, out)
	assert.Regexp(t, `All of it is healthy, after \d+\.\d s\.\n$`, out)
	report, err := demo.Run(t.Context(), demo.Options{API: stack.URL("uploads"), Files: demo.Photographs(), Concurrency: 2})
	require.NoError(t, err)
	assert.Zero(t, report.Failed+report.Rejected)
	assert.NotZero(t, report.Processed)

	out, err = deployTo(t, stack, flags...)
	require.NoError(t, err, out)
	assert.Contains(t, out, "Nothing has changed: all of it is healthy")
	out, err = deployTo(t, stack, "uploads", "--var", "count=2", "--dry-run")
	require.NoError(t, err, out)
	assert.Regexp(t, `^uploads +changed\n +group uploads Count: "1" → "2"\n`, out)
}

// oneJob is a folder with the job file of a job web.
func oneJob(t *testing.T, command string) string {
	t.Helper()
	dir := t.TempDir()
	text := `
variable "note" {
  type    = string
  default = ""
}
job "web" {
  group "main" {
    update {
      min_healthy_time  = "2s"
      progress_deadline = "0s"
    }
    restart {
      attempts = 0
      mode     = "fail"
    }
    task "main" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "` + command + `"]
      }
      env {
        NOTE = var.note
      }
      template {
        destination = "local/read"
        data        = "{{ with nomadVar \"nomad/jobs/web\" }}{{ .word }}{{ end }}"
      }
    }
  }
}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "web.nomad.hcl"), []byte(text), 0o600))
	return dir
}

func TestStepsOfADeploymentForPrograms(t *testing.T) {
	t.Parallel()
	stack := withoutJobs(t)
	out, err := deployTo(t, stack, "--jobs", oneJob(t, "exec sleep 600"), "--item", "word=first", "--json")
	require.NoError(t, err)
	var last stepJSON
	decoder := json.NewDecoder(strings.NewReader(out))
	for decoder.More() {
		last = stepJSON{}
		require.NoError(t, decoder.Decode(&last))
	}
	assert.Equal(t, stepJSON{Job: "web", State: deploy.Healthy, Seconds: last.Seconds}, last)
	assert.Positive(t, last.Seconds)
	out, err = deployTo(t, stack, "--jobs", oneJob(t, "exec sleep 600"), "--dry-run", "--json", "--var", "note=new")
	require.NoError(t, err)
	var changes []deploy.Change
	require.NoError(t, json.Unmarshal([]byte(out), &changes))
	require.Len(t, changes, 1)
	assert.Equal(t, deploy.ChangeJob, changes[0].Kind)
}

func TestAJobThatFailsIsToldOfInFull(t *testing.T) {
	t.Parallel()
	stack := withoutJobs(t)
	out, err := deployTo(t, stack, "--jobs", oneJob(t, "echo no disk is left >&2; exit 7"), "--item", "word=secret")
	require.ErrorContains(t, err, "job web: ")
	require.ErrorContains(t, err, "\n    no disk is left")
	assert.Regexp(t, `(?m)^ +\d+\.\d s  web +failed  `, out)
	assert.NotContains(t, out, "no disk is left", "it is told once, at the end")
	assert.NotContains(t, err.Error()+out, "secret")
}

func TestWhatDeployIsGivenWrongly(t *testing.T) {
	t.Parallel()
	stack, dir := withoutJobs(t), oneJob(t, "exec sleep 600")
	broken := filepath.Join(t.TempDir(), "items.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{"word": 7}`), 0o600))
	for says, args := range map[string][]string{
		`nothing was deployed: items that jobs read from their Nomad variables are missing:` + "\n  job web: word: give it with --item word=…": {},
		`--jobs /absent: there is no such folder`:                                 {"--jobs", "/absent"},
		`there is no job file of "shop": there are those of web`:                  {"shop"},
		`--skip shop: there is no such job: there are web`:                        {"--skip", "shop"},
		`--skip leaves no job to deploy`:                                          {"--skip", "web"},
		`--var count gives no value: it takes one as count=2`:                     {"--var", "count"},
		`--address events gives no value`:                                         {"--address", "events"},
		`--item word gives no value`:                                              {"--item", "word"},
		`--items: open /absent: no such file or directory`:                        {"--items", "/absent"},
		`--items ` + broken + ` is no JSON object of strings, as {"mail": "smtp:`: {"--items", broken},
		`the variable "cuont" is given, which no job file declares`:               {"--var", "cuont=2", "--item", "word=a"},
	} {
		_, err := deployTo(t, stack, append([]string{"--jobs", dir}, args...)...)
		assert.ErrorContains(t, err, says)
	}
	_, _, err := nomadOf(t, stack).Jobs().Info("web", nil)
	assert.Error(t, err)
	away := func(name string) string { return map[string]string{"NOMAD_ADDR": "http://127.0.0.1:1"}[name] }
	assert.ErrorContains(t, run(t.Context(), []string{"deploy"}, away, io.Discard, io.Discard),
		"ask Nomad at http://127.0.0.1:1, where NOMAD_ADDR says it is: ")
}

func nomadOf(t *testing.T, stack *emulator.Stack) *api.Client {
	t.Helper()
	client, err := api.NewClient(&api.Config{Address: stack.NomadURL()})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func TestItemsComeFromTheStandardInput(t *testing.T) {
	t.Parallel()
	f := deployFlags{itemsFile: "-", items: []string{"b=flag"}}
	items, err := f.readItems(strings.NewReader(`{"a": "in", "b": "in"}`))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "in", "b": "flag"}, items)
}

func TestJobsAreCompleted(t *testing.T) {
	t.Parallel()
	f := deployFlags{}
	names, directive := f.completeJobs(nil, []string{"images"}, "")
	assert.Equal(t, cobra.ShellCompDirectiveNoFileComp, directive)
	assert.Contains(t, names, "uploads")
	assert.NotContains(t, names, "images")
}

func TestOnATerminalEachJobHasALine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &deployPrinter{out: &out, width: 60}
	p.event(deploy.Event{Job: "web", State: deploy.Registered, Took: time.Second})
	p.event(deploy.Event{Job: "mailer", State: deploy.Waiting, Detail: strings.Repeat("long ", 50), Took: time.Second})
	p.event(deploy.Event{Job: "web", State: deploy.Failed, Detail: "first\nsecond", Took: 2 * time.Second})
	frames := strings.Split(out.String(), "\x1b[")
	assert.Equal(t, 3, strings.Count(out.String(), "web "))
	assert.Contains(t, out.String(), "\x1b[2A\r\x1b[2K   2.0 s  web           failed      first\n")
	assert.NotContains(t, out.String(), "second")
	for _, frame := range frames {
		assert.Less(t, len(frame), 70, "no line is longer than the terminal is wide")
	}
}

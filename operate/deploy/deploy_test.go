package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/emulator/nomad/topology"
	"github.com/drydock/drydock/operate/deploy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster starts a Nomad with three nodes, and connects to it.
func cluster(t *testing.T) *api.Client {
	t.Helper()
	region := topology.Default("global")
	region.HTTP = "127.0.0.1:0"
	n, err := nomad.Start(t.Context(), nomad.Options{Regions: []nomad.Region{region}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := api.NewClient(&api.Config{Address: n.URL("global"), HttpClient: &http.Client{Transport: transport}})
	require.NoError(t, err)
	return client
}

// bounded ends with the test, or when it takes too long.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

const (
	forever = "exec sleep 600"
	// atOnce counts an instance as healthy when it runs, and a version as failed
	// when an instance is.
	atOnce = `
    update {
      min_healthy_time  = "0s"
      progress_deadline = "0s"
      auto_revert       = true
    }
    restart {
      attempts = 0
      mode     = "fail"
    }`
)

// job is a job file whose instances run a command of the shell. More is for the
// job, and reads is its template.
func job(name, command, more, reads string) string {
	if reads == "" {
		reads = "nothing"
	}
	return fmt.Sprintf(`
variable "count" {
  type    = number
  default = 1
}
variable "note" {
  type    = string
  default = ""
}
job %q {
  %s
  group "main" {
    count = var.count
    scaling {
      min = 0
      max = 9
      policy {
        check "cpu" {
          source = "nomad-apm"
          strategy "target-value" {
            target = 70
          }
        }
      }
    }
    %s
    task "main" {
      driver       = "raw_exec"
      kill_timeout = "1s"
      config {
        command = "/bin/sh"
        args    = ["-c", %q]
      }
      env {
        NOTE = var.note
      }
      template {
        destination = "local/read"
        data        = %q
      }
      resources {
        cpu    = 10
        memory = 10
      }
    }
  }
}`, name, more, atOnce, command, reads)
}

// reading is a template that reads items of a job's variable.
func reading(job string, items ...string) string {
	text := fmt.Sprintf(`{{ with nomadVar "nomad/jobs/%s" }}`, job)
	for _, item := range items {
		text += "{{ ." + item + " }} "
	}
	return text + "{{ end }}"
}

// observed has a version's instances run for a while before they count as healthy.
func observed(file string) string {
	return strings.Replace(file, `min_healthy_time  = "0s"`, `min_healthy_time  = "3s"`, 1)
}

func part(name string) string { return fmt.Sprintf("meta {\n part = %q\n }", name) }

func files(all map[string]string) fstest.MapFS {
	folder := fstest.MapFS{}
	for name, text := range all {
		folder[name+".nomad.hcl"] = &fstest.MapFile{Data: []byte(text)}
	}
	return folder
}

// platform is a bus and an object store, and jobs that need them.
func platform() map[string]string {
	return map[string]string{
		"nats":   job("nats", forever, part("events"), `{{ with nomadVar "nomad/jobs/nats" }}{{ range $user, $password := . }}{{ $user }} {{ end }}{{ end }}`),
		"minio":  job("minio", forever, part("objects"), reading("minio", "root_user", "root_password", "bus_address", "bus_password", "key_web")),
		"web":    job("web", forever, "", reading("web", "bus", "objects", "access_key", "secret_key", "unsubscribe_key")),
		"mailer": job("mailer", forever, "", reading("mailer", "bus", "mail", "mail_from", "unsubscribe_key")),
	}
}

func options(client *api.Client, all map[string]string) deploy.Options {
	return deploy.Options{
		Nomad: client, Jobs: files(all),
		Addresses: map[string]string{"events": "bus.example:4222", "objects": "objects.example:9000", "mail": "mail.example:25"},
		Items:     map[string]string{"mail_from": "alerts@example.com"},
	}
}

// items are those of a job's variable.
func items(t *testing.T, client *api.Client, job string) map[string]string {
	t.Helper()
	found, _, err := client.Variables().GetVariableItems("nomad/jobs/"+job, nil)
	require.NoError(t, err)
	return found
}

func version(t *testing.T, client *api.Client, job string) uint64 {
	t.Helper()
	known, _, err := client.Jobs().Info(job, nil)
	require.NoError(t, err)
	return *known.Version
}

// running are the IDs of a job's instances that run.
func running(t *testing.T, client *api.Client, job string) (ids []string) {
	t.Helper()
	list, _, err := client.Jobs().Allocations(job, false, nil)
	require.NoError(t, err)
	for _, a := range list {
		if a.ClientStatus == api.AllocClientStatusRunning && a.DesiredStatus == api.AllocDesiredStatusRun {
			ids = append(ids, a.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// steps collects what is told, as "job state".
type steps struct{ all []deploy.Event }

func (s *steps) add(e deploy.Event) { s.all = append(s.all, e) }

func (s *steps) index(job string, state deploy.State) int {
	return slices.IndexFunc(s.all, func(e deploy.Event) bool { return e.Job == job && e.State == state })
}

func TestPartsAreThereBeforeTheJobsThatNeedThem(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	var told steps
	o := options(client, platform())
	o.Progress = told.add
	require.NoError(t, deploy.Run(bounded(t), o))
	for _, part := range []string{"nats", "minio"} {
		for _, role := range []string{"web", "mailer"} {
			assert.Less(t, told.index(part, deploy.Healthy), told.index(role, deploy.Registered), "%s before %s", part, role)
		}
	}
	for _, name := range []string{"nats", "minio", "web", "mailer"} {
		assert.Len(t, running(t, client, name), 1, name)
	}

	nats, minio, web, mailer := items(t, client, "nats"), items(t, client, "minio"), items(t, client, "web"), items(t, client, "mailer")
	assert.Equal(t, []string{"mailer", "minio", "system", "web"}, slices.Sorted(maps.Keys(nats)))
	assert.Equal(t, map[string]string{
		"root_user": "drydock", "root_password": minio["root_password"], "key_web": minio["key_web"],
		"bus_address": "bus.example:4222", "bus_password": nats["minio"],
	}, minio)
	assert.Equal(t, map[string]string{
		"bus": "nats://web:" + nats["web"] + "@bus.example:4222", "objects": "s3+http://objects.example:9000/uploads",
		"access_key": "web", "secret_key": minio["key_web"], "unsubscribe_key": mailer["unsubscribe_key"],
	}, web)
	assert.Equal(t, map[string]string{
		"bus": "nats://mailer:" + nats["mailer"] + "@bus.example:4222", "mail": "smtp://mail.example:25",
		"mail_from": "alerts@example.com", "unsubscribe_key": web["unsubscribe_key"],
	}, mailer)
	secrets := map[string]bool{}
	for _, secret := range []string{nats["mailer"], nats["minio"], nats["system"], nats["web"], minio["root_password"], minio["key_web"], web["unsubscribe_key"]} {
		assert.GreaterOrEqual(t, len(secret), 26, "128 bits")
		secrets[secret] = true
	}
	assert.Len(t, secrets, 7, "each is its own")
}

func TestDeployingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	again(t, cluster(t))
}

func again(t *testing.T, client *api.Client) {
	o := options(client, platform())
	require.NoError(t, deploy.Run(bounded(t), o))
	indexes := func() (all []uint64) {
		for _, name := range []string{"nats", "minio", "web", "mailer"} {
			v, _, err := client.Variables().Read("nomad/jobs/"+name, nil)
			require.NoError(t, err)
			known, _, err := client.Jobs().Info(name, nil)
			require.NoError(t, err)
			all = append(all, v.ModifyIndex, *known.JobModifyIndex)
		}
		return all
	}
	before, ran := indexes(), running(t, client, "web")

	var told steps
	o.Progress, o.Addresses, o.Items = told.add, nil, nil // it is all there
	require.NoError(t, deploy.Run(bounded(t), o))
	assert.Equal(t, before, indexes())
	assert.Equal(t, ran, running(t, client, "web"))
	require.Len(t, told.all, 4)
	for _, e := range told.all {
		assert.Equal(t, deploy.Unchanged, e.State, e.Job)
	}
	changes, err := deploy.Plan(bounded(t), o)
	require.NoError(t, err)
	for _, c := range changes {
		assert.Equal(t, deploy.Change{Job: c.Job, Kind: deploy.ChangeNone}, c)
	}
}

func TestWhatIsThereIsKept(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	for path, there := range map[string]map[string]string{
		"web":    {"bus": "nats://web:hers@old.example:4222", "unsubscribe_key": "known", "more": "by hand"},
		"mailer": {"mail": "smtps://user:password@smtp.example"},
		"nats":   {"system": "root"},
	} {
		_, _, err := client.Variables().Create(&api.Variable{Path: "nomad/jobs/" + path, Items: there}, nil)
		require.NoError(t, err)
	}
	o := options(client, platform())
	delete(o.Addresses, "mail")
	o.Items["mailer.bus"] = "nats://elsewhere.example"
	require.NoError(t, deploy.Run(bounded(t), o))
	nats, web, mailer := items(t, client, "nats"), items(t, client, "web"), items(t, client, "mailer")
	assert.Equal(t, "root", nats["system"])
	assert.Equal(t, "hers", nats["web"], "as the job has it")
	assert.Equal(t, "nats://web:hers@bus.example:4222", web["bus"], "at the address that is given")
	assert.Equal(t, "by hand", web["more"])
	assert.Equal(t, "known", web["unsubscribe_key"])
	assert.Equal(t, "known", mailer["unsubscribe_key"])
	assert.Equal(t, "smtps://user:password@smtp.example", mailer["mail"])
	assert.Equal(t, "nats://elsewhere.example", mailer["bus"], "what is given for one job")
}

func TestTheBusOfSeveralServersKeepsReplicas(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	o := options(client, platform())
	o.Variables = map[string]string{"nats.count": "3"}
	require.NoError(t, deploy.Run(bounded(t), o))
	assert.Regexp(t, `^nats://web:\w+@bus\.example:4222\?replicas=3$`, items(t, client, "web")["bus"])
	assert.Len(t, running(t, client, "nats"), 3)
	assert.Len(t, running(t, client, "web"), 1)

	o.Names, o.Variables = []string{"web"}, nil
	require.NoError(t, deploy.Run(bounded(t), o), "another job alone")
	assert.Regexp(t, `\?replicas=3$`, items(t, client, "web")["bus"], "as the bus is")
	assert.EqualValues(t, 0, version(t, client, "nats"))
}

func TestWhatIsMissingIsNamedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	o := options(client, platform())
	o.Addresses, o.Items = map[string]string{"events": "bus.example:4222"}, nil
	err := deploy.Run(bounded(t), o)
	var missing *deploy.MissingItemsError
	require.ErrorAs(t, err, &missing)
	var names []string
	for _, m := range missing.Missing {
		names = append(names, m.Job+" "+m.Item)
	}
	assert.Equal(t, []string{"mailer mail", "mailer mail_from", "web objects"}, names)
	assert.ErrorContains(t, err, "job web: objects: say where jobs reach the part objects with --address objects=host:port")
	assert.ErrorContains(t, err, "job mailer: mail_from: give it with --item mail_from=… or in a file with --items, or put it into the Nomad variable nomad/jobs/mailer")
	list, _, err := client.Jobs().List(nil)
	require.NoError(t, err)
	assert.Empty(t, list)
	variables, _, err := client.Variables().List(nil)
	require.NoError(t, err)
	assert.Empty(t, variables)
}

func TestWithoutAPartItsItemsAreGiven(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	o := options(client, platform())
	o.Names = []string{"web"}
	err := deploy.Run(bounded(t), o)
	require.ErrorContains(t, err, "job web: bus: give it with")
	require.ErrorContains(t, err, "job web: secret_key: give it with")
	assert.NotContains(t, err.Error(), "unsubscribe_key", "which is nobody else's")

	o.Items = map[string]string{"bus": "nats://bus.example", "access_key": "me", "web.secret_key": "mine", "secret_key": "another's"}
	require.NoError(t, deploy.Run(bounded(t), o))
	web := items(t, client, "web")
	assert.Equal(t, "nats://bus.example", web["bus"])
	assert.Equal(t, "mine", web["secret_key"])
	_, _, err = client.Variables().Read("nomad/jobs/nats", nil)
	assert.Error(t, err, "there is no variable of what is not there")
}

func TestAUserWhomThePartDoesNotKnow(t *testing.T) {
	t.Parallel()
	all := platform()
	all["nats"] = job("nats", forever, part("events"), reading("nats", "mailer", "minio"))
	err := deploy.Run(bounded(t), options(cluster(t), all))
	require.ErrorContains(t, err, "job web: bus: job nats does not know it: none of its templates reads web")
}

func TestSeveralAtOnceAgree(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	severalAtOnce(t, client)
	// The real Nomad compares the index before it writes and not while it does:
	// of two within a moment, both may register the job.
	for _, name := range []string{"nats", "minio", "web", "mailer"} {
		assert.EqualValues(t, 0, version(t, client, name), name)
	}
}

func severalAtOnce(t *testing.T, client *api.Client) {
	var all sync.WaitGroup
	failures := make([]error, 4)
	for i := range failures {
		all.Go(func() { failures[i] = deploy.Run(bounded(t), options(client, platform())) })
	}
	all.Wait()
	require.NoError(t, errors.Join(failures...))
	nats, minio, web, mailer := items(t, client, "nats"), items(t, client, "minio"), items(t, client, "web"), items(t, client, "mailer")
	assert.Equal(t, "nats://web:"+nats["web"]+"@bus.example:4222", web["bus"])
	assert.Equal(t, nats["minio"], minio["bus_password"])
	assert.Equal(t, minio["key_web"], web["secret_key"])
	assert.Equal(t, web["unsubscribe_key"], mailer["unsubscribe_key"])
}

// alone deploys one job.
func alone(t *testing.T, client *api.Client, text string, variables map[string]string) (steps, error) {
	t.Helper()
	var told steps
	err := deploy.Run(bounded(t), deploy.Options{
		Nomad: client, Jobs: files(map[string]string{"web": text}), Variables: variables, Progress: told.add,
	})
	return told, err
}

func TestAnUpdateIsWaitedFor(t *testing.T) {
	t.Parallel()
	updated(t, cluster(t))
}

func updated(t *testing.T, client *api.Client) {
	_, err := alone(t, client, job("web", forever, "", ""), map[string]string{"count": "2"})
	require.NoError(t, err)
	before := running(t, client, "web")
	told, err := alone(t, client, job("web", "true; "+forever, "", ""), map[string]string{"count": "2"})
	require.NoError(t, err)
	after := running(t, client, "web")
	assert.Len(t, after, 2)
	for _, id := range after {
		assert.NotContains(t, before, id)
	}
	assert.GreaterOrEqual(t, told.index("web", deploy.Healthy), 0)
	assert.EqualValues(t, 1, told.all[0].Version)
}

func TestAnUpdateThatFailsIsTakenBack(t *testing.T) {
	t.Parallel()
	takenBack(t, cluster(t))
}

func takenBack(t *testing.T, client *api.Client) {
	_, err := alone(t, client, job("web", forever, "", ""), map[string]string{"count": "2"})
	require.NoError(t, err)
	_, err = alone(t, client, observed(job("web", "echo no disk is left >&2; exit 7", "", "")), map[string]string{"count": "2"})
	var failed *deploy.JobError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "web", failed.Job)
	for _, says := range []string{"of version 1 failed", "rolling back to job version 0", `task "main": `, "Exit Code: 7", "\n    no disk is left", "the version before is back: version 2 runs, in 2 instances"} {
		assert.ErrorContains(t, err, says)
	}
	assert.Len(t, running(t, client, "web"), 2)
}

func TestAJobThatFailsIsTriedAgainOnceItsProgramIsThere(t *testing.T) {
	t.Parallel()
	triedAgain(t, cluster(t))
}

func triedAgain(t *testing.T, client *api.Client) {
	program := filepath.Join(t.TempDir(), "program")
	text := observed(job("web", "exec "+program, "", ""))
	_, err := alone(t, client, text, nil)
	require.ErrorContains(t, err, "not found")
	require.ErrorContains(t, err, "no other version runs")
	_, err = alone(t, client, text, nil)
	require.ErrorContains(t, err, "not found", "it is tried again, and fails again")

	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"+forever+"\n"), 0o755))
	_, err = alone(t, client, text, nil)
	require.NoError(t, err)
	assert.Len(t, running(t, client, "web"), 1)
	told, err := alone(t, client, text, nil)
	require.NoError(t, err)
	assert.Equal(t, deploy.Unchanged, told.all[len(told.all)-1].State)
}

func TestAPartThatFailsKeepsTheOthersFromBeingDeployed(t *testing.T) {
	t.Parallel()
	client, all := cluster(t), platform()
	all["nats"] = observed(job("nats", "exit 3", part("events"), reading("nats", "web", "mailer", "minio")))
	err := deploy.Run(bounded(t), options(client, all))
	require.ErrorContains(t, err, "job nats: ")
	require.ErrorContains(t, err, "not deployed, as they need it: mailer, web")
	_, _, err = client.Jobs().Info("web", nil)
	assert.Error(t, err)
	assert.Len(t, running(t, client, "minio"), 1, "which is a part, too")
}

func TestAJobThatNoNodeCanRun(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	told, err := alone(t, client, job("web", forever, "constraint {\n attribute = \"${meta.zone}\"\n value = \"z\"\n}", ""), nil)
	require.Error(t, err)
	assert.Regexp(t, `job web: no node can run it: evaluation \w{8} is blocked: group "main": 3 nodes do not meet \$\{meta\.zone\} = z`, err.Error())
	assert.GreaterOrEqual(t, told.index("web", deploy.Waiting), 0)
}

func TestWhoIsToldToStopSaysWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	ctx, cancel := context.WithCancel(bounded(t))
	slow := strings.Replace(observed(job("web", forever, "", "")), "3s", "2m", 1)
	err := deploy.Run(ctx, deploy.Options{Nomad: client, Jobs: files(map[string]string{"web": slow}), Progress: func(e deploy.Event) {
		if strings.Contains(e.Detail, "instances healthy") {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "job web: ")
	assert.ErrorContains(t, err, "0 of 1 instances healthy")
	assert.Eventually(t, func() bool { return len(running(t, client, "web")) == 1 }, time.Minute, 50*time.Millisecond, "Nomad goes on")
}

func TestDetachedWaitsForPartsAlone(t *testing.T) {
	t.Parallel()
	client, all := cluster(t), platform()
	all["web"] = job("web", forever, "constraint {\n attribute = \"${meta.zone}\"\n value = \"z\"\n}", reading("web", "secret_key"))
	o := options(client, all)
	o.Detach = true
	require.NoError(t, deploy.Run(bounded(t), o))
	assert.Len(t, running(t, client, "nats"), 1)
	assert.EqualValues(t, 0, version(t, client, "web"))
}

func TestCanariesWaitToBePromoted(t *testing.T) {
	t.Parallel()
	canaries(t, cluster(t))
}

func canaries(t *testing.T, client *api.Client) {
	text := strings.Replace(job("web", forever, "", ""), "update {", "update {\ncanary = 1\n", 1)
	_, err := alone(t, client, text, nil)
	require.NoError(t, err)
	told, err := alone(t, client, text, map[string]string{"note": "new"})
	require.NoError(t, err)
	last := told.all[len(told.all)-1]
	assert.Equal(t, deploy.Promotable, last.State)
	assert.Contains(t, last.Detail, "nomad deployment promote ")
	assert.Len(t, running(t, client, "web"), 2)
}

func TestJobsOfOtherKinds(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	without := func(text, from, to string) string { // the blocks between
		before, rest, _ := strings.Cut(text, from)
		_, after, _ := strings.Cut(rest, to)
		return before + to + after
	}
	batch := func(more string) string {
		return without(job("web", "true", "type = \"batch\"\n"+more, ""), "update {", "restart {")
	}
	told, err := alone(t, client, batch(""), nil)
	require.NoError(t, err)
	assert.Equal(t, deploy.Healthy, told.all[len(told.all)-1].State)
	client = cluster(t)
	told, err = alone(t, client, batch("periodic {\n crons = [\"0 0 1 1 *\"]\n}"), nil)
	require.NoError(t, err)
	assert.Equal(t, deploy.Healthy, told.all[len(told.all)-1].State)
	client = cluster(t)
	_, err = alone(t, client, without(job("web", forever, "type = \"system\"", ""), "scaling {", "update {"), nil)
	require.NoError(t, err)
	assert.Len(t, running(t, client, "web"), 3)
}

func TestAPlanSaysWhatWouldChangeAndChangesNothing(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	o := options(client, platform())
	changes, err := deploy.Plan(bounded(t), o)
	require.NoError(t, err)
	require.Len(t, changes, 4)
	assert.Equal(t, deploy.Change{Job: "nats", Kind: deploy.ChangeNew, Items: []string{"mailer", "minio", "system", "web"}}, changes[0])
	list, _, err := client.Variables().List(nil)
	require.NoError(t, err)
	assert.Empty(t, list)

	require.NoError(t, deploy.Run(bounded(t), o))
	o.Names, o.Variables = []string{"web"}, map[string]string{"count": "2", "note": "new"}
	changes, err = deploy.Plan(bounded(t), o)
	require.NoError(t, err)
	require.Len(t, changes, 1)
	assert.Equal(t, deploy.ChangeJob, changes[0].Kind)
	assert.Contains(t, changes[0].Differences, `group main Count: "1" → "2"`)
	assert.Contains(t, changes[0].Differences, `task main Env[NOTE]: "" → "new"`)
}

func TestWhatIsAskedForWrongly(t *testing.T) {
	t.Parallel()
	client, ok := cluster(t), job("web", forever, "", "")
	for says, o := range map[string]deploy.Options{
		`there is no job file of "shop": there are those of web`:                 {Names: []string{"shop"}, Jobs: files(map[string]string{"web": ok})},
		`the variable "cuont" is given, which no job file declares`:              {Variables: map[string]string{"cuont": "2"}, Jobs: files(map[string]string{"web": ok})},
		`the variable "mail.count" is given, which no job file declares`:         {Variables: map[string]string{"mail.count": "2"}, Jobs: files(map[string]string{"web": ok})},
		`there is no job file *.nomad.hcl to run`:                                {Jobs: fstest.MapFS{}},
		`read job file web.nomad.hcl`:                                            {Jobs: files(map[string]string{"web": "job {"})},
		`job "web": task "main": template: local/read:1: missing value for with`: {Jobs: files(map[string]string{"web": job("web", forever, "", "{{ with }}")})},
		`job web: register: `:                                                    {Jobs: files(map[string]string{"web": job("web", forever, "type = \"unknown\"", "")})},
	} {
		o.Nomad = client
		assert.ErrorContains(t, deploy.Run(bounded(t), o), says)
	}
	away, err := api.NewClient(&api.Config{Address: "http://127.0.0.1:1"})
	require.NoError(t, err)
	defer away.Close()
	assert.ErrorContains(t, deploy.Run(bounded(t), deploy.Options{Nomad: away, Jobs: files(map[string]string{"web": ok})}), `connection refused`)
}

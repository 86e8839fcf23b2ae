package real

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
)

// programs makes a folder of shell scripts by their names.
func programs(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	return dir
}

func TestProgramsThatAreMissingOrTooOldAreNamed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	good := map[string]string{"consul": `echo "Consul v1.22.3"`, "nomad": `echo "Nomad v1.12.0-beta.1"`, "minio": "true"}
	assert.NoError(t, checkPrograms(ctx, programs(t, good), []string{"minio"}))

	err := checkPrograms(ctx, programs(t, map[string]string{"consul": "true"}), []string{"mc", "minio"})
	assert.ErrorContains(t, err, "not on the PATH: nomad, mc, minio: `make real` finds or builds them all")

	old := programs(t, map[string]string{"consul": `echo "Consul v1.22.3"`, "nomad": `echo "Nomad v1.9.7"`})
	err = checkPrograms(ctx, old, nil)
	assert.ErrorContains(t, err, filepath.Join(old, "nomad")+" is version 1.9.7, and 1.11.0 or newer is needed: take it off the PATH")

	err = checkPrograms(ctx, programs(t, map[string]string{"consul": "echo hello", "nomad": ""}), nil)
	assert.ErrorContains(t, err, `it says "hello", which is none`)
	err = checkPrograms(ctx, programs(t, map[string]string{"consul": "exit 3", "nomad": ""}), nil)
	assert.ErrorContains(t, err, "for its version: exit status 3")
}

func TestADriverThatCannotBeIsTold(t *testing.T) {
	t.Parallel()
	assert.NoError(t, checkDriver("raw_exec"))
	assert.ErrorContains(t, checkDriver("podman"), `the driver is "podman": it has to be raw_exec, exec or docker`)
	if os.Geteuid() != 0 {
		assert.ErrorContains(t, checkDriver("exec"), "the driver exec needs root")
	}
}

func TestProgramsForTheSandboxHaveToBeInIt(t *testing.T) {
	t.Parallel()
	outside := programs(t, map[string]string{"drydock": "true"})
	assert.NoError(t, checkConfined(outside+":/usr/bin", []string{"env"}))
	assert.ErrorContains(t, checkConfined(outside+":/usr/bin", []string{"drydock"}), "and drydock is not there: copy it to /usr/local/bin")
}

func TestADiskThatIsTooSmallIsTold(t *testing.T) {
	t.Parallel()
	assert.NoError(t, checkDisk(t.TempDir(), 0))
	assert.ErrorContains(t, checkDisk(t.TempDir(), 1<<40), "MB free, and 1099511627776 MB are needed")
}

func TestAFolderThatTasksUsersCannotReachIsTold(t *testing.T) {
	t.Parallel()
	closed := filepath.Join(t.TempDir(), "closed")
	require.NoError(t, os.Mkdir(closed, 0o700))
	assert.NoError(t, checkUsers(closed, nil))
	if os.Geteuid() == 0 {
		assert.NoError(t, checkUsers("/var/lib", []string{"postgres"}))
		assert.ErrorContains(t, checkUsers(closed, []string{"postgres"}), "folder "+closed+" is closed to the user postgres")
	}
}

func TestPortsAreChosenForTheJobsThatThereAre(t *testing.T) {
	t.Parallel()
	free := func(given map[string]int, jobs ...string) (map[string]int, error) {
		chosen, locks, err := choosePorts(given, jobs)
		for _, lock := range locks {
			lock.Release()
		}
		return chosen, err
	}
	chosen, err := free(nil, "nats")
	require.NoError(t, err)
	for _, name := range []string{PortEvents, "events-monitor", PortConsul, PortDNS, PortNomad, "nomad-rpc"} {
		assert.NotZero(t, chosen[name], name)
	}
	assert.NotContains(t, chosen, PortObjects)

	_, err = free(map[string]int{"evnts": 4222})
	assert.ErrorContains(t, err, `a port is given for "evnts", which is none of alerts, consul, `)
	same := chosen[PortNomad]
	_, err = free(map[string]int{PortNomad: same, PortConsul: same})
	assert.ErrorContains(t, err, "consul and nomad are both on port")

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	_, err = free(map[string]int{PortConsul: port})
	var taken *PortTakenError
	require.ErrorAs(t, err, &taken)
	assert.Equal(t, PortConsul, taken.Name)
	assert.Equal(t, port, taken.Port)
	if runtime.GOOS == "linux" {
		assert.Equal(t, os.Getpid(), taken.Holder.PID)
	}
}

func TestWhatJobsNeedIsAddedUp(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"web.nomad.hcl": {Data: []byte(`
variable "count" { default = 1 }
variable "driver" { default = "raw_exec" }
job "web" {
  group "web" {
    count = var.count
    ephemeral_disk { size = 100 }
    task "web" {
      driver = var.driver
      user   = "nobody"
      config { command = "web-server" }
      resources { cpu = 4000 }
    }
    task "beside" {
      driver = "raw_exec"
      config { command = "/bin/true" }
    }
  }
}`)}}
	job, err := jobs.Read(files, "web", map[string]string{"count": "2"})
	require.NoError(t, err)
	assert.Equal(t, needs{cpu: 16000, disk: 200, programs: []string{"web-server"}, users: []string{"nobody"}}, needsOf([]jobs.Job{job}, 1))

	job, err = jobs.Read(files, "web", map[string]string{"driver": "docker"})
	require.NoError(t, err)
	assert.Equal(t, needs{cpu: 192000, disk: 100}, needsOf([]jobs.Job{job}, 64))
}

func TestTheVolumesOfTheRepositorysAgent(t *testing.T) {
	t.Parallel()
	agent, err := os.ReadFile("../../nomad.hcl")
	require.NoError(t, err)
	volumes, err := volumesOf(agent)
	require.NoError(t, err)
	assert.Equal(t, []string{"nats", "minio", "postgres"}, volumes)
	_, err = volumesOf([]byte("client {"))
	assert.ErrorContains(t, err, "read the Nomad agent's configuration: nomad.hcl:1")
}

func TestVariablesAreThoseOfTheJobFiles(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	for _, name := range []string{"market", "web"} {
		files[name+jobs.Extension] = &fstest.MapFile{Data: []byte(fmt.Sprintf(`
variable "http_port" { default = 1 }
variable "count" { default = 1 }
variable "driver" { default = "raw_exec" }
job %q {
  meta { part = %q }
}`, name, map[string]string{"market": "market"}[name]))}
	}
	s := &Stack{Jobs: []string{"market", "web"}, Ports: map[string]int{PortMarket: 8084, PortObjects: 9000}}
	list, err := s.readJobs(Options{Jobs: files, Driver: "exec", Variables: map[string]string{"count": "2", "web.count": "3"}})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"market.http_port": "8084", "market.count": "2", "web.count": "3", "web.driver": "exec"}, valuesOf(list))
	for _, name := range []string{"cuont", "web.cuont", "wbe.count"} {
		_, err = s.readJobs(Options{Jobs: files, Driver: "raw_exec", Variables: map[string]string{name: "2"}})
		assert.ErrorContains(t, err, fmt.Sprintf("the variable %q is given, which no job file declares", name))
	}
}

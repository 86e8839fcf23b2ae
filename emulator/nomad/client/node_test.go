package client

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/mock"
)

const sleeper = `task "t" {
	driver = "raw_exec"
	config {
		command = "/bin/sleep"
		args    = ["1000"]
	}
}`

func TestFingerprint(t *testing.T) {
	t.Parallel()
	node := testNode(t, newFakeServer(), func(o *Options) {
		o.Node.Attributes = map[string]string{"platform": "mine", "kernel.name": "other"}
		o.Node.NodeResources = &api.NodeResources{Cpu: api.NodeCpuResources{CpuShares: 777}}
	}).Node()
	for name, value := range map[string]string{
		"platform": "mine", "kernel.name": "other", "nomad.version": "1.11.3", "driver.raw_exec": "1", "driver.mock_driver": "1",
		"unique.network.ip-address": "127.0.0.1",
	} {
		require.Equal(t, value, node.Attributes[name], name)
	}
	for _, name := range []string{"cpu.arch", "cpu.totalcompute", "memory.totalbytes", "os.name", "unique.hostname", "os.signals"} {
		require.NotEmpty(t, node.Attributes[name], name)
	}
	require.True(t, node.Drivers["raw_exec"].Healthy)
	require.Equal(t, map[string]string{"driver.raw_exec": "true"}, node.Drivers["raw_exec"].Attributes)
	require.EqualValues(t, 777, node.NodeResources.Cpu.CpuShares)
	require.NotZero(t, node.NodeResources.Memory.MemoryMB)
	require.NotZero(t, node.NodeResources.Disk.DiskMB)
	require.Equal(t, 20000, node.NodeResources.MinDynamicPort)
}

// switched is a driver that works, or not.
type switched struct {
	mock.Driver
	works bool
	tasks chan driver.Task
}

func (*switched) Name() string                      { return "switched" }
func (*switched) Capabilities() driver.Capabilities { return driver.Capabilities{Isolated: true} }
func (*switched) Schema() hcldec.Spec               { return hcldec.ObjectSpec{} }

func (d *switched) Fingerprint(context.Context) driver.Fingerprint {
	if d.works {
		return driver.Fingerprint{Detected: true, Healthy: true, Description: "Healthy", Attributes: map[string]string{"driver.switched.version": "2"}}
	}
	return driver.Fingerprint{Description: "no engine answers"}
}

func (d *switched) Start(ctx context.Context, task driver.Task) (driver.Handle, error) {
	d.tasks <- task
	task.Config = []byte(`{"run_for": "1h"}`)
	return d.Driver.Start(ctx, task)
}

func TestDriversComeAndGo(t *testing.T) {
	t.Parallel()
	d := &switched{}
	node := testNode(t, newFakeServer(), func(o *Options) { o.Drivers = append(o.Drivers, d) })
	s := node.current()
	require.False(t, s.node.Load().Drivers["switched"].Healthy)
	require.NotContains(t, s.node.Load().Attributes, "driver.switched")

	d.works = true
	now, events := s.lookAtDrivers(t.Context())
	require.Len(t, events, 1)
	require.Equal(t, map[string]string{"driver": "switched"}, events[0].Details)
	require.Equal(t, "1", now.Attributes["driver.switched"])
	require.Equal(t, "2", now.Attributes["driver.switched.version"])
	s.node.Store(now)
	_, events = s.lookAtDrivers(t.Context())
	require.Empty(t, events, "nothing has changed")

	d.works = false
	now, events = s.lookAtDrivers(t.Context())
	require.Len(t, events, 1)
	require.Equal(t, "no engine answers", events[0].Message)
	require.NotContains(t, now.Attributes, "driver.switched.version")
}

func TestVolumesOfTheHost(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	d := &switched{works: true, tasks: make(chan driver.Task, 1)}
	testNode(t, server, func(o *Options) {
		o.Drivers = append(o.Drivers, d)
		o.Node.HostVolumes = map[string]*api.HostVolumeInfo{"certificates": {Path: "/etc/ssl", ReadOnly: true}}
	})
	group := `volume "v" {
		type   = "host"
		source = "certificates"
	}
	task "t" {
		driver = "DRIVER"
		volume_mount {
			volume      = "v"
			destination = "${NOMAD_TASK_DIR}/certs"
		}
		config {}
	}`
	server.place(taskJob(t, "service", strings.ReplaceAll(group, "DRIVER", "switched")))
	task := <-d.tasks
	require.Equal(t, []driver.Mount{{Source: "/etc/ssl", Destination: "/local/certs", ReadOnly: true}}, task.Mounts)
	require.Equal(t, "/alloc", task.Env["NOMAD_ALLOC_DIR"], "an isolated task sees nothing else")
	require.NotContains(t, task.Env, "HOME")

	id := server.place(taskJob(t, "batch", strings.ReplaceAll(group, "DRIVER", "mock_driver")))
	require.Equal(t, []string{
		`Task hook failed: volumes: task driver "mock_driver" for "t" does not support host volumes`,
		"Not Restarting: Error was unrecoverable",
	}, shown(server.await(t, id, "failed").TaskStates["t"])[2:])
}

func TestNodeThatIsStartedAgain(t *testing.T) {
	t.Parallel()
	server, dir := newFakeServer(), t.TempDir()
	inDir := func(o *Options) { o.Dir = dir }
	node := testNode(t, server, inDir)
	id := server.place(taskJob(t, "service", `task "init" {
		lifecycle { hook = "prestart" }
		driver = "mock_driver"
	}
	`+sleeper))
	server.awaitTask(t, id, "t", "running")
	require.NoError(t, node.Close())
	require.NoError(t, node.Close())
	require.ErrorIs(t, node.Revive(t.Context()), ErrClosed)
	require.Equal(t, "running", server.get(id).ClientStatus, "the servers are not told")
	left := filepath.Join(dir, "alloc", "11111111-0000-0000-0000-000000000000")
	require.NoError(t, os.MkdirAll(left, 0o755))

	testNode(t, server, inDir)
	eventually(t, "it runs anew", func() bool { return len(server.get(id).TaskStates["t"].Events) == 5 })
	require.Equal(t, []string{
		"Failed Restoring Task: failed to restore task; will not run until server is contacted", "Started: Task started by client",
	}, shown(server.get(id).TaskStates["t"])[3:])
	require.Len(t, server.get(id).TaskStates["init"].Events, 4, "what has ended well does not run again")
	require.DirExists(t, filepath.Join(dir, "alloc", id))
	eventually(t, "what nobody knows any more is removed", func() bool {
		_, err := os.Stat(left)
		return os.IsNotExist(err)
	})
}

func TestAllocationThatNeverRan(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	testNode(t, server)
	id := server.place(taskJob(t, "service", sleeper), func(a *api.Allocation) {
		a.DesiredStatus = api.AllocDesiredStatusStop
		a.TaskStates = map[string]*api.TaskState{"t": {State: "running"}}
	})
	require.Equal(t, "dead", server.await(t, id, "complete").TaskStates["t"].State)
}

func TestForgottenAllocationIsRemoved(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	id := server.place(taskJob(t, "service", sleeper))
	server.await(t, id, "running")
	dir, err := node.AllocationDir(id)
	require.NoError(t, err)
	server.mu.Lock()
	delete(server.allocs, id)
	server.notifyLocked()
	server.mu.Unlock()
	eventually(t, "its directory is gone", func() bool {
		_, err := os.Stat(dir.Root)
		return os.IsNotExist(err)
	})
	_, err = node.AllocationDir(id)
	var unknown *UnknownAllocationError
	require.ErrorAs(t, err, &unknown)
}

func TestGarbageIsCollected(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	runs := server.place(taskJob(t, "service", sleeper))
	ended := server.place(taskJob(t, "batch", `task "t" {
		driver = "raw_exec"
		config { command = "/bin/true" }
	}`))
	server.await(t, runs, "running")
	server.await(t, ended, "complete")
	dir, err := node.AllocationDir(ended)
	require.NoError(t, err)
	eventually(t, "it has ended here as well", func() bool { return node.runnerOf(ended).isEnded() })
	require.ErrorIs(t, node.CollectGarbage(runs), ErrNotCollectable)
	require.NoError(t, node.CollectAllGarbage())
	require.NoDirExists(t, dir.Root)
	_, err = node.AllocationDir(ended)
	require.Error(t, err)
	require.Equal(t, "running", server.get(runs).ClientStatus)
}

func TestEphemeralDiskIsTakenOver(t *testing.T) {
	t.Parallel()
	server, other := newFakeServer(), newFakeServer()
	var first *Client
	peer := func(string) *Client { return first }
	first = testNode(t, server)
	second := testNode(t, other, func(o *Options) { o.Peer = peer })
	job := taskJob(t, "batch", `ephemeral_disk {
		sticky  = true
		migrate = true
	}
	task "t" {
		driver = "raw_exec"
		config {
			command = "/bin/sh"
			args    = ["-c", "cat ../alloc/data/x local/y; echo $NOMAD_ALLOC_ID >> ../alloc/data/x; echo $NOMAD_ALLOC_ID >> local/y"]
		}
	}`)
	after := func(id string) func(*api.Allocation) {
		return func(a *api.Allocation) { a.PreviousAllocation = id }
	}
	one := server.place(job)
	two := server.place(job, after(one))
	server.await(t, two, "complete")
	three := other.place(job, after(two))
	other.await(t, three, "complete")
	dir, err := second.AllocationDir(three)
	require.NoError(t, err)
	text, err := os.ReadFile(dir.LogFile("t", "stdout", 0))
	require.NoError(t, err)
	want := one + "\n" + two + "\n"
	require.Equal(t, want+want, string(text))
}

func TestStatsOfTheHost(t *testing.T) {
	t.Parallel()
	node := testNode(t, newFakeServer())
	stats, err := node.HostStats(t.Context())
	require.NoError(t, err)
	require.NotZero(t, stats.Memory.Total)
	require.NotEmpty(t, stats.CPU)
	require.NotZero(t, stats.Uptime)
	require.NotZero(t, stats.AllocDirStats.Size)
}

func TestMetaOfTheNodeChanges(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	node := testNode(t, server)
	node.SetMeta(map[string]string{"zone": "b"})
	id := server.place(taskJob(t, "batch", `task "t" {
		driver = "raw_exec"
		config {
			command = "/bin/echo"
			args    = ["${meta.zone}"]
		}
	}`))
	server.await(t, id, "complete")
	dir, err := node.AllocationDir(id)
	require.NoError(t, err)
	text, err := os.ReadFile(dir.LogFile("t", "stdout", 0))
	require.NoError(t, err)
	require.Equal(t, "b\n", string(text))
}

func TestSettings(t *testing.T) {
	t.Parallel()
	server := newFakeServer()
	d := &switched{works: true, tasks: make(chan driver.Task, 1)}
	node := testNode(t, server, func(o *Options) {
		o.Drivers, o.Region = append(o.Drivers, d), "far"
		o.Settings = map[string]string{"driver.denylist": "raw_exec", "user.checked_drivers": "switched, other"}
	})
	require.NotContains(t, node.Node().Drivers, "raw_exec")
	require.Contains(t, node.Node().Drivers, "mock_driver")
	task := `task "t" {
		driver = "switched"
		user   = "${NOMAD_META_who}"
		meta   = { who = "WHO" }
		env    = { AT = "${node.region}" }
		config {}
	}`
	id := server.place(taskJob(t, "batch", strings.ReplaceAll(task, "WHO", "root")))
	require.Equal(t, []string{`Task hook failed: validate: running as user "root" is disallowed`, "Not Restarting: Error was unrecoverable"},
		shown(server.await(t, id, "failed").TaskStates["t"])[1:])
	server.place(taskJob(t, "batch", strings.ReplaceAll(task, "WHO", "somebody")))
	started := <-d.tasks
	require.Equal(t, "somebody", started.User)
	require.Equal(t, "far", started.Env["AT"])

	only := testNode(t, newFakeServer(), func(o *Options) { o.Settings = map[string]string{"driver.allowlist": "raw_exec"} })
	require.Len(t, only.Node().Drivers, 1)
}

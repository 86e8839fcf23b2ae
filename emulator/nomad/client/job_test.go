package client

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseJobGivesDefaults(t *testing.T) {
	t.Parallel()
	job := parse(t, "leader")
	task := job.TaskGroups[0].Tasks[0]
	require.Equal(t, 5*time.Second, *task.KillTimeout)
	require.Equal(t, "fail", *task.RestartPolicy.Mode)
	require.Equal(t, 15*time.Second, *task.RestartPolicy.Delay)
	require.Equal(t, 24*time.Hour, *task.RestartPolicy.Interval, "the default of a batch job")

	service := parse(t, "follower").TaskGroups[0].Tasks[0].RestartPolicy
	require.Equal(t, 2, *service.Attempts)
	require.Equal(t, 30*time.Minute, *service.Interval, "the default of a service job")
}

func TestParseJobNamesWhatItCannotRun(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/unsupported.nomad.hcl")
	require.NoError(t, err)
	_, err = ParseJob("jobs/unsupported.nomad.hcl", text, nil)
	for _, want := range []string{
		`job file jobs/unsupported.nomad.hcl cannot run here`,
		`job "unsupported": type "system" is not supported here: use "service" or "batch"`,
		`job "unsupported": periodic is not supported`,
		`group "g": volume is not supported`,
		`group "g": network mode "bridge"`,
		`port "http": static = 8080 with count = 2`,
		`service "s": port "https" is no label of the group's network, which has ["http"]`,
		`check "service: \"s\" check": type "grpc"`,
		`Nomad takes one second or more`,
		`task "t": driver "docker" is not supported here: use "raw_exec"`,
		`task "t": lifecycle is not supported`,
		`task "t": kill_signal: signal "SIGWINCH"`,
		`template "local/x": change_mode "script"`,
		`task "u": config: work_dir is not supported`,
		`task "u": artifact is not supported`,
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestParseJobNamesWhereTheFileIsWrong(t *testing.T) {
	t.Parallel()
	_, err := ParseJob("jobs/x.nomad.hcl", []byte("job \"x\" {\n  grup \"g\" {}\n}"), nil)
	require.ErrorContains(t, err, "jobs/x.nomad.hcl:2")
	_, err = ParseJob("jobs/x.nomad.hcl", []byte("variable \"missing\" {}\njob \"x\" { name = var.missing }"), nil)
	require.ErrorContains(t, err, "missing")
}

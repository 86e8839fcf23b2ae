package connect_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud/connect"
	"github.com/drydock/drydock/emulator/nats"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestAWrongValueIsNamedWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	open := map[string]func(func(string) string) error{
		connect.VariableBus: func(getenv func(string) string) error {
			_, err := connect.Bus(ctx, getenv)
			return err
		},
		connect.VariableRecords: func(getenv func(string) string) error {
			_, err := connect.Records(ctx, getenv, "tests")
			return err
		},
		connect.VariableSchedules: func(getenv func(string) string) error {
			_, err := connect.Schedules(ctx, getenv)
			return err
		},
		connect.VariableMail: func(getenv func(string) string) error {
			_, err := connect.Mailer(getenv)
			return err
		},
		connect.VariableObjects: func(getenv func(string) string) error {
			_, err := connect.Objects(getenv)
			return err
		},
	}
	for _, test := range []struct{ variable, value, says string }{
		{connect.VariableBus, "", "DRYDOCK_BUS is not set: it takes nats://"},
		{connect.VariableBus, "kafka://u:secret@host", "DRYDOCK_BUS=kafka://u:xxxxx@host is not of a known kind: it takes nats://"},
		{connect.VariableBus, "secret", "DRYDOCK_BUS=(hidden, not a URL)"},
		{connect.VariableBus, "nats://u:secret@127.0.0.1:1", "DRYDOCK_BUS=nats://u:xxxxx@127.0.0.1:1: connect to NATS"},
		{connect.VariableRecords, "http://u:secret@host", "DRYDOCK_RECORDS=http://u:xxxxx@host is not of a known kind"},
		{connect.VariableSchedules, "aws://u:secret@eu-west-1", "DRYDOCK_SCHEDULES=aws://u:xxxxx@eu-west-1 is not of a known kind"},
		{connect.VariableSchedules, "nats://u:secret@127.0.0.1:1", "DRYDOCK_SCHEDULES=nats://u:xxxxx@127.0.0.1:1: connect to NATS"},
		{connect.VariableMail, "", "DRYDOCK_MAIL is not set: it takes smtp://"},
		{connect.VariableMail, "ses://u:secret@eu-west-1", "DRYDOCK_MAIL=ses://u:xxxxx@eu-west-1 is not of a known kind"},
		{connect.VariableMail, "smtp://u:secret@host?rate=none", "DRYDOCK_MAIL=smtp://u:xxxxx@host?rate=none: "},
		{connect.VariableObjects, "", "DRYDOCK_OBJECTS is not set: it takes s3+http://"},
		{connect.VariableObjects, "s3+http://u:secret@host/bucket", "credentials do not belong in the URL"},
		{connect.VariableObjects, "s3+http://host", "DRYDOCK_OBJECTS=s3+http://host: open object store: the URL must be"},
	} {
		err := open[test.variable](environment(map[string]string{test.variable: test.value}))
		require.Error(t, err, "%+v", test)
		assert.Contains(t, err.Error(), test.says)
		assert.NotContains(t, err.Error(), "secret")
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestTheRestFollowsTheBusUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	server, err := nats.Start(nats.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer server.Close()
	for _, variable := range []string{connect.VariableBus, connect.VariableRecords} {
		records, err := connect.Records(ctx, environment(map[string]string{variable: server.URL()}), "tests")
		require.NoError(t, err)
		require.NoError(t, records.Ready(ctx))
		require.NoError(t, records.Close())
	}
	for _, variable := range []string{connect.VariableBus, connect.VariableSchedules} {
		schedules, err := connect.Schedules(ctx, environment(map[string]string{variable: server.URL()}))
		require.NoError(t, err)
		require.NoError(t, schedules.Ready(ctx))
		require.NoError(t, schedules.Close())
	}
	getenv := environment(map[string]string{connect.VariableBus: server.URL()})
	bus, err := connect.Bus(ctx, getenv)
	require.NoError(t, err)
	require.NoError(t, bus.Close())
	letters, err := connect.DeadLetters(ctx, getenv)
	require.NoError(t, err)
	require.NoError(t, letters.Close())
}

func TestAMailServerNeedNotAnswerAtFirst(t *testing.T) {
	t.Parallel()
	mailer, err := connect.Mailer(environment(map[string]string{connect.VariableMail: "smtp://127.0.0.1:1"}))
	require.NoError(t, err)
	require.Error(t, mailer.Ready(context.Background()))
	require.NoError(t, mailer.Close())
}

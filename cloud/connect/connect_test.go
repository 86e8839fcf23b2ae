package connect_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/connect"
	"github.com/drydock/drydock/emulator/nats"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestAWrongValueIsNamedWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	ask := map[string]func(*connect.Connections){
		connect.VariableBus:       func(c *connect.Connections) { c.Bus(new(cloud.Bus)) },
		connect.VariableRecords:   func(c *connect.Connections) { c.Records(new(cloud.Records), "tests") },
		connect.VariableSchedules: func(c *connect.Connections) { c.Schedules(new(cloud.Schedules), cloud.Schedule{}) },
		connect.VariableMail:      func(c *connect.Connections) { c.Mailer(new(cloud.Mailer)) },
		connect.VariableObjects:   func(c *connect.Connections) { c.Objects(new(cloud.Objects)) },
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
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		c := connect.New(ctx, environment(map[string]string{test.variable: test.value}))
		ask[test.variable](c)
		err := c.Wait()
		cancel()
		require.Error(t, err, "%+v", test)
		assert.Contains(t, err.Error(), test.says)
		assert.NotContains(t, err.Error(), "secret")
		assert.NotContains(t, err.Error(), "\n")
		require.NoError(t, c.Close())
	}
}

func TestTheFirstWrongValueIsTold(t *testing.T) {
	t.Parallel()
	c := connect.New(t.Context(), environment(map[string]string{connect.VariableBus: "nats://127.0.0.1:1"}))
	c.Bus(new(cloud.Bus)) // which would wait for its server
	c.Mailer(new(cloud.Mailer))
	c.Objects(new(cloud.Objects))
	assert.ErrorContains(t, c.Wait(), "DRYDOCK_MAIL is not set")
	require.NoError(t, c.Close())
}

func TestTheRestFollowsTheBusUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	server, err := nats.Start(nats.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer server.Close()
	every := cloud.Schedule{Name: "tests", Every: time.Minute, Type: "test", Source: "/tests"}
	for _, variables := range [][]string{{connect.VariableBus}, {connect.VariableBus, connect.VariableRecords, connect.VariableSchedules}} {
		values := map[string]string{}
		for _, variable := range variables {
			values[variable] = server.URL()
		}
		c := connect.New(ctx, environment(values))
		var (
			bus       cloud.Bus
			letters   cloud.DeadLetters
			records   cloud.Records
			schedules cloud.Schedules
		)
		c.Bus(&bus)
		c.DeadLetters(&letters)
		c.Records(&records, "tests")
		c.Schedules(&schedules, every)
		require.NoError(t, c.Wait())
		for _, opened := range []interface{ Ready(context.Context) error }{bus, letters, records, schedules} {
			require.NoError(t, opened.Ready(ctx))
		}
		require.NoError(t, c.Close())
		require.ErrorIs(t, bus.Ready(ctx), cloud.ErrUnavailable)
	}
}

func TestAMailServerNeedNotAnswerAtFirst(t *testing.T) {
	t.Parallel()
	c := connect.New(t.Context(), environment(map[string]string{connect.VariableMail: "smtp://127.0.0.1:1"}))
	var mailer cloud.Mailer
	c.Mailer(&mailer)
	require.NoError(t, c.Wait())
	require.Error(t, mailer.Ready(t.Context()))
	require.NoError(t, c.Close())
}

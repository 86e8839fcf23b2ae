package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nats"
)

func TestTheAlertsRoleNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	server, err := nats.Start(nats.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	good := map[string]string{
		"DRYDOCK_BUS": server.URL(), "DRYDOCK_MARKET": "http://127.0.0.1:1", "DRYDOCK_UNSUBSCRIBE_KEY": "0123456789abcdef",
	}
	for name, test := range map[string]struct{ variable, value, says string }{
		"no bus":      {"DRYDOCK_BUS", "", "DRYDOCK_BUS is not set"},
		"no market":   {"DRYDOCK_MARKET", "", "DRYDOCK_MARKET"},
		"no secret":   {"DRYDOCK_UNSUBSCRIBE_KEY", "", "DRYDOCK_UNSUBSCRIBE_KEY has 0 bytes: it takes the mailer's secret, of 16 bytes or more"},
		"no address":  {"DRYDOCK_LISTEN", "nowhere", "DRYDOCK_LISTEN=nowhere"},
		"weak secret": {"DRYDOCK_UNSUBSCRIBE_KEY", "short-secret", "has 12 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := runAlerts(deadline(t), func(variable string) string {
				if variable == test.variable {
					return test.value
				}
				return good[variable]
			})
			require.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), "short-secret")
		})
	}
}

func TestTheAlertsRoleServes(t *testing.T) {
	t.Parallel()
	server, err := nats.Start(nats.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	environment := map[string]string{
		"DRYDOCK_BUS": server.URL(), "DRYDOCK_MARKET": "http://127.0.0.1:1", "DRYDOCK_UNSUBSCRIBE_KEY": "0123456789abcdef", "DRYDOCK_LISTEN": address,
	}
	ctx, stop := context.WithCancel(deadline(t))
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- runAlerts(ctx, func(variable string) string { return environment[variable] }) }()
	status := func(path string) int {
		answer, err := http.Get("http://" + address + path)
		if err != nil {
			return 0
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	require.Eventually(t, func() bool { return status("/health/ready") == http.StatusOK }, waitFor, 50*time.Millisecond)
	for _, path := range []string{"/", "/docs/", "/openapi.json", "/metrics", "/v1/alerts"} {
		assert.Equal(t, http.StatusOK, status(path), path)
	}
	stop()
	require.NoError(t, <-ended)
}

// runAlerts runs the role as the program does.
func runAlerts(ctx context.Context, getenv func(string) string) error {
	command := alertsCommand(getenv)
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs([]string{})
	command.SetOut(io.Discard)
	command.SetErr(io.Discard)
	return command.ExecuteContext(ctx)
}

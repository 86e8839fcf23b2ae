package mock

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// begin starts a task with a config block; what it prints is in the buffer once
// it has ended.
func begin(ctx context.Context, t *testing.T, config map[string]any) (driver.Handle, *bytes.Buffer, error) {
	t.Helper()
	text, err := json.Marshal(config)
	require.NoError(t, err)
	out := new(bytes.Buffer)
	h, err := Driver{}.Start(ctx, driver.Task{Config: text, Stdout: out, Stderr: io.Discard})
	return h, out, err
}

func TestTaskDoesAsItIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config map[string]any
		lasts  time.Duration
		exit   driver.Exit
		prints string
	}{
		"nothing":  {map[string]any{}, 0, driver.Exit{}, ""},
		"runs":     {map[string]any{"run_for": "1h"}, time.Hour, driver.Exit{}, ""},
		"fails":    {map[string]any{"run_for": "1s", "exit_code": 3, "exit_signal": 9, "exit_err_msg": "boom"}, time.Second, driver.Exit{Code: 3, Signal: 9, Err: errors.New("boom")}, ""},
		"prints":   {map[string]any{"run_for": "1h", "stdout_string": "x", "stdout_repeat": 2, "stdout_repeat_duration": "1m"}, time.Hour, driver.Exit{}, "xxx"},
		"cut off":  {map[string]any{"run_for": "90s", "stdout_string": "x", "stdout_repeat": 9, "stdout_repeat_duration": "1m"}, 90 * time.Second, driver.Exit{}, "xx"},
		"crashes":  {map[string]any{"run_for": "1h", "plugin_exit_after": "1m"}, time.Minute, driver.Exit{Code: -1, Err: errors.New("plugin has shut down")}, ""},
		"is slow":  {map[string]any{"start_block_for": "5s", "run_for": "1s"}, 6 * time.Second, driver.Exit{}, ""},
		"outlives": {map[string]any{"run_for": "1s", "plugin_exit_after": "1m"}, time.Second, driver.Exit{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				h, out, err := begin(t.Context(), t, c.config)
				require.NoError(t, err)
				<-h.Done()
				require.Equal(t, c.lasts, time.Since(began))
				require.Equal(t, c.exit, h.Exit())
				require.Equal(t, c.prints, out.String())
			})
		})
	}
}

func TestStopAndSignal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ after, timeout, lasts time.Duration }{
			{0, time.Second, 0}, {2 * time.Second, 5 * time.Second, 2 * time.Second}, {time.Hour, 5 * time.Second, 5 * time.Second},
		} {
			h, _, err := begin(t.Context(), t, map[string]any{"run_for": "24h", "exit_code": 1, "kill_after": c.after.String(), "signal_error": "no signals"})
			require.NoError(t, err)
			require.EqualError(t, h.Signal(syscall.SIGHUP), "no signals")
			began := time.Now()
			h.Stop(syscall.SIGINT, c.timeout)
			require.Equal(t, c.lasts, time.Since(began))
			require.True(t, h.Exit().Successful())
			h.Stop(syscall.SIGINT, c.timeout)
		}
	})
}

func TestStartsThatFail(t *testing.T) {
	t.Parallel()
	_, _, err := begin(t.Context(), t, map[string]any{"start_error": "bad"})
	require.EqualError(t, err, "bad")
	var recoverable *driver.RecoverableError
	require.NotErrorAs(t, err, &recoverable)
	_, _, err = begin(t.Context(), t, map[string]any{"start_error": "bad", "start_error_recoverable": true})
	require.ErrorAs(t, err, &recoverable)
	_, _, err = begin(t.Context(), t, map[string]any{"run_for": "soon"})
	require.ErrorContains(t, err, "failed to decode task config")
	_, _, err = begin(t.Context(), t, map[string]any{"driver_port_map": "http=1"})
	require.ErrorContains(t, err, "malformed port map")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = begin(ctx, t, map[string]any{"start_block_for": "1h"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestNetworkAndCommands(t *testing.T) {
	t.Parallel()
	h, _, err := begin(t.Context(), t, map[string]any{
		"run_for": "1h", "driver_ip": "10.0.0.9", "driver_port_map": "http:80,db:5432", "driver_advertise": true,
		"exec_command": map[string]any{"run_for": "1ms", "stdout_string": "out", "stderr_string": "err", "exit_code": 7},
	})
	require.NoError(t, err)
	defer h.Stop(syscall.SIGKILL, 0)
	require.Equal(t, &driver.Network{IP: "10.0.0.9", PortMap: map[string]int{"http": 80, "db": 5432}, AutoAdvertise: true}, h.Network())
	var out, errOut bytes.Buffer
	code, err := h.Exec(t.Context(), driver.Command{Args: []string{"x"}, Stdout: &out, Stderr: &errOut})
	require.NoError(t, err)
	require.Equal(t, 7, code)
	require.Equal(t, "outerr", out.String()+errOut.String())
	stats, err := h.Stats(t.Context())
	require.NoError(t, err)
	require.NotZero(t, stats.Timestamp)

	plain, _, err := begin(t.Context(), t, map[string]any{"run_for": "1h"})
	require.NoError(t, err)
	defer plain.Stop(syscall.SIGKILL, 0)
	require.Nil(t, plain.Network())
	_, err = plain.Exec(t.Context(), driver.Command{Args: []string{"x"}, Stdout: &out})
	require.EqualError(t, err, "no exec command is configured")
}

func TestSchemaHasWhatIsRead(t *testing.T) {
	t.Parallel()
	schema := Driver{}.Schema().(hcldec.ObjectSpec)
	for _, name := range []string{"run_for", "exit_code", "start_error", "exec_command", "stdout_repeat_duration", "driver_port_map"} {
		require.Contains(t, schema, name)
	}
	require.Contains(t, schema["exec_command"].(*hcldec.BlockSpec).Nested, "exit_code")
	require.True(t, Driver{}.Fingerprint(t.Context()).Healthy)
	require.True(t, Driver{}.Capabilities().Virtual)
}

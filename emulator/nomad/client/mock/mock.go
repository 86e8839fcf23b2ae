// Package mock is the driver mock_driver: its tasks are no processes, and do
// what their config block says. Nodes of the emulator have it, as those of
// `nomad agent -dev` do, for tests and for load.
package mock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// Driver is the driver mock_driver. The zero value is ready.
type Driver struct{}

// Name is mock_driver.
func (Driver) Name() string { return "mock_driver" }

// Fingerprint is that of a driver which always works.
func (Driver) Fingerprint(context.Context) driver.Fingerprint {
	return driver.Fingerprint{Detected: true, Healthy: true, Description: "Healthy"}
}

// Capabilities says that its tasks touch nothing but, if they print, their logs.
func (Driver) Capabilities() driver.Capabilities {
	return driver.Capabilities{Virtual: true, Prints: []string{"stdout_string", "stderr_string"}}
}

// schema is the config block, which never changes: durations are texts such as
// "10s".
var schema = taskSchema()

// Schema is the config block.
func (Driver) Schema() hcldec.Spec { return schema }

func taskSchema() hcldec.ObjectSpec {
	schema := commandSchema()
	for name, kind := range map[string]cty.Type{
		"start_error": cty.String, "start_error_recoverable": cty.Bool, "start_block_for": cty.String,
		"kill_after": cty.String, "signal_error": cty.String, "plugin_exit_after": cty.String, "fs_isolation": cty.String,
		"driver_ip": cty.String, "driver_advertise": cty.Bool, "driver_port_map": cty.String, "shutdown_periodic_after": cty.Bool,
		"shutdown_periodic_duration": cty.String, "client_shutdown_after": cty.String,
	} {
		schema[name] = &hcldec.AttrSpec{Name: name, Type: kind}
	}
	schema["exec_command"] = &hcldec.BlockSpec{TypeName: "exec_command", Nested: commandSchema()}
	return schema
}

// commandSchema describes what a task does, or a command within one.
func commandSchema() hcldec.ObjectSpec {
	schema := hcldec.ObjectSpec{}
	for name, kind := range map[string]cty.Type{
		"run_for": cty.String, "exit_code": cty.Number, "exit_signal": cty.Number, "exit_err_msg": cty.String,
		"stdout_string": cty.String, "stdout_repeat": cty.Number, "stdout_repeat_duration": cty.String,
		"stderr_string": cty.String, "stderr_repeat": cty.Number, "stderr_repeat_duration": cty.String,
	} {
		schema[name] = &hcldec.AttrSpec{Name: name, Type: kind}
	}
	return schema
}

// config is the config block.
type config struct {
	script
	StartError            string   `json:"start_error"`
	StartErrorRecoverable bool     `json:"start_error_recoverable"`
	StartBlockFor         duration `json:"start_block_for"`
	KillAfter             duration `json:"kill_after"`
	SignalError           string   `json:"signal_error"`
	PluginExitAfter       duration `json:"plugin_exit_after"`
	DriverIP              string   `json:"driver_ip"`
	DriverAdvertise       bool     `json:"driver_advertise"`
	DriverPortMap         string   `json:"driver_port_map"`
	ExecCommand           *script  `json:"exec_command"`
}

// script is what a task, or a command within one, does.
type script struct {
	RunFor       duration `json:"run_for"`
	ExitCode     int      `json:"exit_code"`
	ExitSignal   int      `json:"exit_signal"`
	ExitErrMsg   string   `json:"exit_err_msg"`
	StdoutString string   `json:"stdout_string"`
	StdoutRepeat int      `json:"stdout_repeat"`
	StdoutEvery  duration `json:"stdout_repeat_duration"`
	StderrString string   `json:"stderr_string"`
	StderrRepeat int      `json:"stderr_repeat"`
	StderrEvery  duration `json:"stderr_repeat_duration"`
}

// duration is a text such as "10s"; none is nothing.
type duration time.Duration

// UnmarshalJSON reads the text.
func (d *duration) UnmarshalJSON(text []byte) error {
	var value *string
	if err := json.Unmarshal(text, &value); err != nil || value == nil || *value == "" {
		return err
	}
	parsed, err := time.ParseDuration(*value)
	*d = duration(parsed)
	return err
}

// Start starts a task that does what its config block says.
func (Driver) Start(ctx context.Context, task driver.Task) (driver.Handle, error) {
	var c config
	if err := json.Unmarshal(task.Config, &c); err != nil {
		return nil, fmt.Errorf("failed to decode task config: %w", err)
	}
	if err := wait(ctx, time.Duration(c.StartBlockFor)); err != nil {
		return nil, err
	}
	if c.StartError != "" {
		err := errors.New(c.StartError)
		if c.StartErrorRecoverable {
			return nil, &driver.RecoverableError{Err: err}
		}
		return nil, err
	}
	network, err := c.network()
	if err != nil {
		return nil, err
	}
	h := &handle{config: c, network: network, done: make(chan struct{}), stop: make(chan struct{})}
	h.begin(task)
	return h, nil
}

// network is where the task pretends to be reached.
func (c *config) network() (*driver.Network, error) {
	if c.DriverIP == "" && c.DriverPortMap == "" {
		return nil, nil
	}
	n := &driver.Network{IP: c.DriverIP, AutoAdvertise: c.DriverAdvertise, PortMap: map[string]int{}}
	for _, pair := range strings.Split(c.DriverPortMap, ",") {
		if pair == "" {
			continue
		}
		label, text, found := strings.Cut(pair, ":")
		var port int
		if _, err := fmt.Sscan(text, &port); err != nil || !found {
			return nil, fmt.Errorf("malformed port map: %q", pair)
		}
		n.PortMap[label] = port
	}
	return n, nil
}

// wait waits, or for less when the context ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

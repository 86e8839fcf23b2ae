package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/connect"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/role"
	"github.com/drydock/drydock/workers/alerts"
)

const (
	variableInstance = "DRYDOCK_INSTANCE"
	variableMaxAge   = "DRYDOCK_MAX_AGE"

	filterListen  = "127.0.0.1:8088"
	filterDrain   = 10 * time.Second // less than the job's kill_timeout
	filterRoleDoc = `The alerts worker: it follows the quotes and publishes an alert for each one
that crosses a rule. Instances share the symbols out among themselves.

It is configured by the environment:
  DRYDOCK_BUS       the event bus, as nats://host:4222 (required)
  DRYDOCK_RECORDS   where records are kept (default: DRYDOCK_BUS)
  DRYDOCK_INSTANCE  a name of this instance alone; when it is started again by the same
                    one it goes on at once (default: a new one each time)
  DRYDOCK_MAX_AGE   how old a quote may be and still fire, as 15m (default: any age)
  DRYDOCK_LISTEN    address of /health/live, /health/ready and /metrics (default ` + filterListen + `)`
)

// filterCommand is the role filter.
func filterCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "filter",
		GroupID: groupRoles,
		Short:   "The alerts worker, which holds the quotes against the rules",
		Long:    filterRoleDoc,
		Example: "  DRYDOCK_BUS=nats://127.0.0.1:4222 drydock filter",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runFilter(cmd.Context(), getenv, cmd)
		},
	}
}

// runFilter wires the role and runs it until the context ends.
func runFilter(ctx context.Context, getenv func(string) string, cmd *cobra.Command) error {
	maxAge, err := readMaxAge(getenv(variableMaxAge))
	if err != nil {
		return err
	}
	c := connect.New(ctx, getenv)
	defer c.Close()
	var (
		bus           cloud.Bus
		rules, states cloud.Records
	)
	c.Bus(&bus)
	c.Records(&rules, contract.AlertsCollection)
	c.Records(&states, contract.AlertStatesCollection)
	if err := c.Wait(); err != nil {
		return err
	}

	log, registry := role.Logger(cmd.ErrOrStderr(), "filter"), role.Registry()
	options := alerts.Options{
		Bus: bus, Rules: rules, States: states,
		Name: getenv(variableInstance), MaxAge: maxAge, Drain: filterDrain,
		Logger: log, Metrics: alerts.NewMetrics(registry),
	}
	return role.Run(ctx, role.Options{
		Name:     "filter",
		Listen:   cmp.Or(getenv(role.VariableListen), filterListen),
		Ready:    role.AllReady(bus, rules, states),
		Work:     func(ctx context.Context) error { return alerts.Run(ctx, options) },
		Drain:    filterDrain,
		Registry: registry,
		Logger:   log,
	})
}

// readMaxAge reads how old a quote may be; nothing is any age.
func readMaxAge(value string) (time.Duration, error) {
	if value == "" {
		return 0, nil
	}
	age, err := time.ParseDuration(value)
	if err != nil || age <= 0 {
		return 0, fmt.Errorf("%s=%.40s is not a time above zero: it takes one as 15m or 1h30m", variableMaxAge, value)
	}
	return age, nil
}

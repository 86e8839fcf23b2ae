package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/api/alerts"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/connect"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/market"
	"github.com/drydock/drydock/role"
)

const (
	variableUnsubscribeKey = "DRYDOCK_UNSUBSCRIBE_KEY"
	leastUnsubscribeKey    = 16 // bytes

	alertsListen  = "127.0.0.1:8082"
	alertsDrain   = 10 * time.Second // less than the job's kill_timeout
	alertsRoleDoc = `The alerts API and its page: owners set rules on prices there, try them on the
market's past, and follow what they fire; readers of its mail unsubscribe.

It is configured by the environment:
  DRYDOCK_BUS              the event bus, as nats://host:4222 (required)
  DRYDOCK_MARKET           the market's feed, as http://host:port or file:///path/vendor.json (required)
  DRYDOCK_UNSUBSCRIBE_KEY  the secret that the mailer signs links with, 16 bytes or more (required)
  DRYDOCK_RECORDS          where records are kept (default: DRYDOCK_BUS)
  DRYDOCK_LISTEN           address of the API, /health/live, /health/ready and /metrics (default ` + alertsListen + `)`
)

// alertsCommand is the role alerts.
func alertsCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "alerts",
		GroupID: groupRoles,
		Short:   "The alerts API and its page",
		Long:    alertsRoleDoc,
		Example: "  DRYDOCK_BUS=nats://127.0.0.1:4222 DRYDOCK_MARKET=http://127.0.0.1:8090 DRYDOCK_UNSUBSCRIBE_KEY=… drydock alerts",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveAlerts(cmd.Context(), getenv, cmd)
		},
	}
}

// serveAlerts wires the role and runs it until the context ends.
func serveAlerts(ctx context.Context, getenv func(string) string, cmd *cobra.Command) error {
	key := getenv(variableUnsubscribeKey)
	if len(key) < leastUnsubscribeKey {
		return fmt.Errorf("%s has %d bytes: it takes the mailer's secret, of %d bytes or more", variableUnsubscribeKey, len(key), leastUnsubscribeKey)
	}
	c := connect.New(ctx, getenv)
	defer c.Close()
	var (
		bus                       cloud.Bus
		rules, keys, mail, limits cloud.Records
	)
	c.Bus(&bus)
	c.Records(&rules, contract.AlertsCollection)
	c.Records(&keys, alerts.KeysCollection)
	c.Records(&mail, contract.MailCollection)
	c.Records(&limits, contract.QuotesCollection)
	if err := c.Wait(); err != nil {
		return err
	}

	log, registry := role.Logger(cmd.ErrOrStderr(), "alerts"), role.Registry()
	history, err := market.Open(market.Options{Getenv: getenv, Records: limits, Logger: log, Registerer: registry})
	if err != nil {
		return err
	}
	defer history.Close()
	service := alerts.New(alerts.Options{
		Rules: rules, Keys: keys, Mail: mail, Bus: bus, History: history,
		UnsubscribeKey: []byte(key),
		Logger:         log, Registerer: registry,
	})
	return role.Run(ctx, role.Options{
		Name:     "alerts",
		Listen:   cmp.Or(getenv(role.VariableListen), alertsListen),
		Handler:  service.Handler(),
		Ready:    role.AllReady(bus, rules, keys, mail, service),
		Work:     service.Run,
		Drain:    alertsDrain,
		Registry: registry,
		Logger:   log,
	})
}

package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/connect"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/market"
	"github.com/drydock/drydock/role"
	"github.com/drydock/drydock/workers/quotes"
	"github.com/drydock/drydock/workers/runner"
)

const (
	quotesListen  = "127.0.0.1:8087"
	quotesDrain   = 20 * time.Second // less than the job's kill_timeout
	quotesRoleDoc = `The quotes worker: at each tick of a schedule, which it declares, it asks the
market for its prices and publishes those that are new.

It is configured by the environment:
  DRYDOCK_BUS        the event bus, as nats://host:4222 (required)
  DRYDOCK_MARKET     the market's feed, as http://host:port, or file:///path/vendor.json,
                     which describes a vendor of another kind (required)
  DRYDOCK_SYMBOLS    what to poll, as ACME,BTC-USD (default *: all that the vendor names)
  DRYDOCK_EVERY      the pause between two polls (default 5s)
  DRYDOCK_CRON       when to poll instead: six fields with seconds first, or @hourly, @daily, …
  DRYDOCK_TIME_ZONE  what DRYDOCK_CRON is read in, as Europe/Berlin (default UTC)
  DRYDOCK_MISSED     what becomes of the prices between two polls and of an outage:
                     catch_up publishes all that the vendor's history has (default),
                     skip only the latest
  DRYDOCK_BACKFILL   how much history a symbol begins with, as 24h (default none)
  DRYDOCK_RECORDS    where records are kept (default: DRYDOCK_BUS)
  DRYDOCK_SCHEDULES  who makes the ticks (default: DRYDOCK_BUS)
  DRYDOCK_LISTEN     address of /health/live, /health/ready and /metrics (default ` + quotesListen + `)`
)

// quotesCommand is the role quotes.
func quotesCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "quotes",
		GroupID: groupRoles,
		Short:   "The quotes worker, which polls the market",
		Long:    quotesRoleDoc,
		Example: "  DRYDOCK_BUS=nats://127.0.0.1:4222 DRYDOCK_MARKET=http://127.0.0.1:8084 drydock quotes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runQuotes(cmd.Context(), getenv, cmd)
		},
	}
}

// runQuotes wires the role and runs it until the context ends.
func runQuotes(ctx context.Context, getenv func(string) string, cmd *cobra.Command) error {
	settings, err := quotes.ReadSettings(getenv)
	if err != nil {
		return err
	}
	c := connect.New(ctx, getenv)
	defer c.Close()
	var (
		bus       cloud.Bus
		records   cloud.Records
		schedules cloud.Schedules
	)
	c.Bus(&bus)
	c.Records(&records, contract.QuotesCollection)
	c.Schedules(&schedules, settings.Schedule())
	if err := c.Wait(); err != nil {
		return err
	}

	log, registry := role.Logger(cmd.ErrOrStderr(), "quotes"), role.Registry()
	vendor, err := market.Open(market.Options{Getenv: getenv, Records: records, Logger: log, Registerer: registry})
	if err != nil {
		return err
	}
	defer vendor.Close()
	var subscribed role.Begun
	worker := quotes.New(quotes.Options{
		Bus: bus, Records: records, Market: vendor, Settings: settings, Drain: quotesDrain, Subscribed: subscribed.Begin,
		Logger: log, Registerer: registry, Runner: runner.NewMetrics(registry),
	})
	return role.Run(ctx, role.Options{
		Name:     "quotes",
		Listen:   cmp.Or(getenv(role.VariableListen), quotesListen),
		Ready:    role.AllReady(bus, records, schedules, worker, &subscribed),
		Work:     worker.Run,
		Drain:    quotesDrain,
		Registry: registry,
		Logger:   log,
	})
}

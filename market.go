package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/emulator/market"
	"github.com/drydock/drydock/role"
)

const (
	variableMarketDir = "DRYDOCK_MARKET_DIR"

	marketListen  = "127.0.0.1:8084"
	marketDrain   = 5 * time.Second // less than the job's kill_timeout
	marketRoleDoc = `A market-data vendor for where there is none: made-up prices, which are the same
at the same time wherever they are made, and crashes, spikes and failures on
demand. Where there is a real vendor, leave it out.

It is configured by the environment:
  DRYDOCK_MARKET_DIR  where demanded events and prices are kept (default: nowhere)
  DRYDOCK_LISTEN      address of the feed, /health/live, /health/ready and /metrics (default ` + marketListen + `)`
)

// marketCommand is the role market.
func marketCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "market",
		GroupID: groupRoles,
		Short:   "A market feed of made-up prices, where there is no vendor",
		Long:    marketRoleDoc,
		Example: `  DRYDOCK_LISTEN=127.0.0.1:8084 drydock market
  curl -d '{"kind": "crash", "symbol": "ACME", "percent": 30, "for": "1m"}' http://127.0.0.1:8084/v1/events`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runMarket(cmd.Context(), getenv, cmd)
		},
	}
}

// runMarket runs the role until the context ends.
func runMarket(ctx context.Context, getenv func(string) string, cmd *cobra.Command) error {
	log := role.Logger(cmd.ErrOrStderr(), "market")
	feed, err := market.New(market.Options{Dir: getenv(variableMarketDir), Logger: log})
	if err != nil {
		return fmt.Errorf("%s=%s: %w", variableMarketDir, getenv(variableMarketDir), err)
	}
	return role.Run(ctx, role.Options{
		Name:     "market",
		Listen:   cmp.Or(getenv(role.VariableListen), marketListen),
		Handler:  feed.Handler(),
		Ready:    role.AllReady(),
		Drain:    marketDrain,
		Registry: role.Registry(),
		Logger:   log,
	})
}

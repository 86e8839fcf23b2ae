package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/operate/demo"
)

// Where drydock up has the parts that demo alerts talks to.
const (
	defaultAlertsAPI = "http://127.0.0.1:8082"
	defaultMarket    = "http://127.0.0.1:8084"
	defaultInbox     = "http://127.0.0.1:8025"
)

func demoAlertsCommand() *cobra.Command {
	var o demo.AlertsOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Set alerts, play a crash of the market, and show the mail",
		Long: `Set a few alerts on one symbol of the market feed, have its price crash, wait for
the mail of each, and show how long it took from the market's quote until the mail
server had it. The alerts are removed again; the mail stays in the inbox.`,
		Example: `  drydock demo alerts
  drydock demo alerts --json | jq '.mails[].took_ns / 1e6'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemoAlerts(cmd.Context(), o, asJSON, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.API, "api", defaultAlertsAPI, "base URL of the alerts API")
	flags.StringVar(&o.Market, "market", defaultMarket, "base URL of the market feed")
	flags.StringVar(&o.Inbox, "inbox", defaultInbox, "base URL of the mail server's inbox")
	flags.DurationVar(&o.Wait, "wait", time.Minute, "how long to wait for the mail")
	flags.BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

func runDemoAlerts(ctx context.Context, o demo.AlertsOptions, asJSON bool, stdout io.Writer) error {
	if o.Wait <= 0 {
		return fmt.Errorf("--wait %v is not more than 0", o.Wait)
	}
	if !asJSON {
		o.Say = func(text string) { fmt.Fprintln(stdout, text) }
	}
	report, err := demo.Alerts(ctx, o)
	if ctx.Err() != nil {
		return errors.New("stopped before every mail was there")
	}
	if err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	fmt.Fprintln(stdout)
	table := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "mail\tafter the quote\twhere")
	for _, mail := range report.Mails {
		fmt.Fprintf(table, "%s\t%d ms\t%s\n", mail.Subject, mail.Took.Milliseconds(), mail.URL)
	}
	return table.Flush()
}

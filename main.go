// Command drydock is the program of every role but the images worker, and of
// everything that people type: it builds, breaks and proves a cloud-native
// backend offline, in one process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	_ "time/tzdata" // rules and schedules are in time zones that a machine may not have

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/role"
)

func main() {
	log.SetOutput(io.Discard) // where libraries trace to; everything of ours has a logger
	ctx, stop := role.Signals(context.Background())
	defer stop()
	if err := run(ctx, programArgs(os.Args), os.Getenv, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(os.Stderr, "drydock:", err)
		}
		os.Exit(1)
	}
}

// errSaid ends the program with a failure that the output has told of already.
var errSaid = errors.New("failed")

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	root := rootCommand(getenv)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

// rootCommand is the program's command, with all others below it.
func rootCommand(getenv func(string) string) *cobra.Command {
	root := &cobra.Command{
		Use:   "drydock",
		Short: "A cloud-native backend that runs offline in one process, and unchanged on any cluster",
		Long: `Drydock runs event-driven uploads, alerts and an HTTP API offline on a laptop,
and the very same jobs on any Nomad and Consul cluster, in any cloud.`,
		Example: `  drydock up                 start everything, and print where it is
  drydock demo               send it some photographs, and see what becomes of them
  drydock demo ~/Pictures    the same with your own
  drydock demo alerts        set alerts, have the market crash, and see the mail`,
		Version:       role.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddGroup(&cobra.Group{ID: groupPeople, Title: "What people type:"}, &cobra.Group{ID: groupRoles, Title: "Roles that jobs run:"})
	root.AddCommand(
		demoCommand(), deadletterCommand(getenv), healthCommand(getenv),
		uploadsCommand(getenv), alertsCommand(getenv), quotesCommand(getenv), filterCommand(getenv),
		mailerCommand(getenv), webhooksCommand(getenv), deadlettersCommand(getenv),
		marketCommand(getenv), inboxCommand(getenv),
	)
	root.AddCommand(outsideCommands(getenv)...)
	return root
}

// Groups of commands in the help.
const (
	groupPeople = "people"
	groupRoles  = "roles"
)

package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/api/deadletters"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/connect"
	"github.com/drydock/drydock/role"
)

const (
	deadlettersListen = "127.0.0.1:8083"
	deadlettersDrain  = 10 * time.Second // less than the job's kill_timeout
)

// deadlettersCommand is the role deadletters.
func deadlettersCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "deadletters",
		GroupID: groupRoles,
		Short:   "The API of dead letters",
		Long: `The API of dead letters: it counts, shows, mends and deletes the events that
consumers gave up, and sends them again.

It is configured by the environment:
  DRYDOCK_BUS      the event bus, as nats://host:4222 (required)
  DRYDOCK_LISTEN   address of the API, /health/live, /health/ready and /metrics (default ` + deadlettersListen + `)`,
		Example: "  DRYDOCK_BUS=nats://127.0.0.1:4222 drydock deadletters",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveDeadletters(cmd.Context(), getenv, cmd)
		},
	}
}

// serveDeadletters wires the role and runs it until the context ends.
func serveDeadletters(ctx context.Context, getenv func(string) string, cmd *cobra.Command) error {
	c := connect.New(ctx, getenv)
	defer c.Close()
	var letters cloud.DeadLetters
	c.DeadLetters(&letters)
	if err := c.Wait(); err != nil {
		return err
	}

	log, registry := role.Logger(cmd.ErrOrStderr(), "deadletters"), role.Registry()
	service := deadletters.New(deadletters.Options{Letters: letters, Logger: log, Registerer: registry})
	return role.Run(ctx, role.Options{
		Name:     "deadletters",
		Listen:   cmp.Or(getenv(role.VariableListen), deadlettersListen),
		Handler:  service.Handler(),
		Ready:    role.AllReady(letters),
		Drain:    deadlettersDrain,
		Registry: registry,
		Logger:   log,
	})
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/drydock/drydock/role"
)

// healthCommand is the health check of a container, whose image has no other program.
func healthCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "health",
		GroupID: groupPeople,
		Short:   "Whether the role that listens on DRYDOCK_LISTEN lives, as containers' health checks ask",
		Example: "  DRYDOCK_LISTEN=127.0.0.1:8080 drydock health",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return role.Health(cmd.Context(), getenv(role.VariableListen))
		},
	}
}

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
	"github.com/drydock/drydock/workers/webhooks"
)

const (
	variableWebhooksPrivate = "DRYDOCK_WEBHOOKS_PRIVATE"

	webhooksListen  = "127.0.0.1:8086"
	webhooksDrain   = 15 * time.Second // more than a request's timeout, less than the job's kill_timeout
	webhooksRoleDoc = `The webhooks worker: it posts the alerts of rules whose channel is webhook to the
URL of their owner, signed as Standard Webhooks says.

It is configured by the environment:
  DRYDOCK_BUS               the event bus, as nats://host:4222 (required)
  DRYDOCK_RECORDS           where records are kept (default: DRYDOCK_BUS)
  DRYDOCK_WEBHOOKS_PRIVATE  allow, to post to this machine and private networks too (default: refuse)
  DRYDOCK_LISTEN            address of /health/live, /health/ready and /metrics (default ` + webhooksListen + `)`
)

// webhooksCommand is the role webhooks.
func webhooksCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "webhooks",
		GroupID: groupRoles,
		Short:   "The webhooks worker, which posts alerts to their owners",
		Long:    webhooksRoleDoc,
		Example: "  DRYDOCK_BUS=nats://127.0.0.1:4222 drydock webhooks",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runWebhooks(cmd.Context(), getenv, cmd)
		},
	}
}

// runWebhooks wires the role and runs it until the context ends.
func runWebhooks(ctx context.Context, getenv func(string) string, cmd *cobra.Command) error {
	allowPrivate, err := readPrivate(getenv(variableWebhooksPrivate))
	if err != nil {
		return err
	}
	c := connect.New(ctx, getenv)
	defer c.Close()
	var (
		bus   cloud.Bus
		rules cloud.Records
	)
	c.Bus(&bus)
	c.Records(&rules, contract.AlertsCollection)
	if err := c.Wait(); err != nil {
		return err
	}

	log, registry := role.Logger(cmd.ErrOrStderr(), "webhooks"), role.Registry()
	var subscribed role.Begun
	worker := webhooks.New(webhooks.Options{
		Bus: bus, Rules: rules, AllowPrivate: allowPrivate, Drain: webhooksDrain, Subscribed: subscribed.Begin,
		Logger: log, Registerer: registry,
	})
	return role.Run(ctx, role.Options{
		Name:     "webhooks",
		Listen:   cmp.Or(getenv(role.VariableListen), webhooksListen),
		Ready:    role.AllReady(bus, rules, &subscribed),
		Work:     worker.Run,
		Drain:    webhooksDrain,
		Registry: registry,
		Logger:   log,
	})
}

func readPrivate(value string) (allow bool, err error) {
	switch value {
	case "", "refuse":
		return false, nil
	case "allow":
		return true, nil
	}
	return false, fmt.Errorf("%s=%s is not allow or refuse", variableWebhooksPrivate, value)
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/connect"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/role"
	"github.com/drydock/drydock/workers/mailer"
)

const (
	variableMailFrom    = "DRYDOCK_MAIL_FROM"
	variablePublicURL   = "DRYDOCK_PUBLIC_URL"
	variableTemplates   = "DRYDOCK_TEMPLATES"
	variableDigestAfter = "DRYDOCK_DIGEST_AFTER"

	mailerListen  = "127.0.0.1:8085"
	mailerDrain   = 25 * time.Second // more than the mail server's timeout, less than the job's kill_timeout
	mailerRoleDoc = `The mailer: it sends the alerts of rules whose channel is email, and one digest
of what a person would get too many of in one minute.

It is configured by the environment:
  DRYDOCK_BUS              the event bus, as nats://host:4222 (required)
  DRYDOCK_MAIL             the mail server, as smtp://user:password@host:587 or smtps://… (required)
  DRYDOCK_MAIL_FROM        the sender, as "Drydock <alerts@example.com>" (required)
  DRYDOCK_PUBLIC_URL       where readers reach the alerts API, to unsubscribe (required)
  DRYDOCK_UNSUBSCRIBE_KEY  the secret of the links to unsubscribe, shared with the alerts API (required)
  DRYDOCK_DIGEST_AFTER     mails a minute for one person before the rest is one digest (default 5)
  DRYDOCK_TEMPLATES        a folder with alert.txt, alert.html, digest.txt or digest.html of your own
  DRYDOCK_RECORDS          where records are kept (default: DRYDOCK_BUS)
  DRYDOCK_SCHEDULES        where schedules are kept (default: DRYDOCK_BUS)
  DRYDOCK_LISTEN           address of /health/live, /health/ready and /metrics (default ` + mailerListen + `)`
)

// mailerCommand is the role mailer.
func mailerCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "mailer",
		GroupID: groupRoles,
		Short:   "The mailer, which sends alerts by e-mail",
		Long:    mailerRoleDoc,
		Example: `  DRYDOCK_BUS=nats://127.0.0.1:4222 DRYDOCK_MAIL=smtp://127.0.0.1:1025 DRYDOCK_MAIL_FROM=alerts@example.com \
  DRYDOCK_PUBLIC_URL=http://127.0.0.1:8082 DRYDOCK_UNSUBSCRIBE_KEY=… drydock mailer`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runMailer(cmd.Context(), getenv, cmd)
		},
	}
}

// runMailer wires the role and runs it until the context ends.
func runMailer(ctx context.Context, getenv func(string) string, cmd *cobra.Command) error {
	digestAfter, err := readDigestAfter(getenv(variableDigestAfter))
	if err != nil {
		return err
	}
	c := connect.New(ctx, getenv)
	defer c.Close()
	var (
		sender      cloud.Mailer
		bus         cloud.Bus
		rules, mail cloud.Records
		schedules   cloud.Schedules
	)
	c.Mailer(&sender)
	c.Bus(&bus)
	c.Records(&rules, contract.AlertsCollection)
	c.Records(&mail, contract.MailCollection)
	c.Schedules(&schedules, mailer.Schedule)
	if err := c.Wait(); err != nil {
		return err
	}

	log, registry := role.Logger(cmd.ErrOrStderr(), "mailer"), role.Registry()
	var subscribed role.Begun
	worker, err := mailer.New(mailer.Options{
		Bus: bus, Rules: rules, Mail: mail, Mailer: sender,
		From:           getenv(variableMailFrom),
		PublicURL:      getenv(variablePublicURL),
		UnsubscribeKey: []byte(getenv(variableUnsubscribeKey)),
		Templates:      getenv(variableTemplates),
		DigestAfter:    digestAfter,
		Drain:          mailerDrain,
		Subscribed:     subscribed.Begin,
		Logger:         log, Registerer: registry,
	})
	if err != nil {
		return fmt.Errorf("%s, %s, %s or %s: %w", variableMailFrom, variablePublicURL, variableUnsubscribeKey, variableTemplates, err)
	}
	return role.Run(ctx, role.Options{
		Name:     "mailer",
		Listen:   cmp.Or(getenv(role.VariableListen), mailerListen),
		Ready:    role.AllReady(bus, rules, mail, sender, &subscribed),
		Work:     worker.Run,
		Drain:    mailerDrain,
		Registry: registry,
		Logger:   log,
	})
}

// readDigestAfter returns 0, which is the default, for an empty value.
func readDigestAfter(value string) (int, error) {
	if value == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > mailer.MaxDigestAfter {
		return 0, fmt.Errorf("%s=%s is not a number from 1 to %d", variableDigestAfter, value, mailer.MaxDigestAfter)
	}
	return n, nil
}

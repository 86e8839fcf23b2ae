package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/emulator/mail"
	"github.com/drydock/drydock/role"
)

const (
	variableSMTP     = "DRYDOCK_SMTP"
	variableInboxDir = "DRYDOCK_INBOX_DIR"

	inboxSMTP    = "127.0.0.1:1025"
	inboxListen  = "127.0.0.1:8025"
	inboxDrain   = 5 * time.Second // less than the job's kill_timeout
	inboxRoleDoc = `A mail server for where there is none: it takes all mail, delivers none, and
shows it on a page and to programs. Where mail is to arrive, leave it out.

It is configured by the environment:
  DRYDOCK_SMTP       address that takes mail (default ` + inboxSMTP + `)
  DRYDOCK_INBOX_DIR  where mails are kept (default: in memory)
  DRYDOCK_LISTEN     address of the page, its API, /health/live, /health/ready and /metrics (default ` + inboxListen + `)`
)

// inboxCommand is the role inbox.
func inboxCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "inbox",
		GroupID: groupRoles,
		Short:   "A mail server that delivers nothing and shows everything",
		Long:    inboxRoleDoc,
		Example: `  DRYDOCK_SMTP=127.0.0.1:1025 DRYDOCK_LISTEN=127.0.0.1:8025 drydock inbox
  curl 'http://127.0.0.1:8025/v1/messages?to=ann@example.com'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runInbox(cmd.Context(), getenv, cmd)
		},
	}
}

// runInbox runs the role until the context ends.
func runInbox(ctx context.Context, getenv func(string) string, cmd *cobra.Command) error {
	address := cmp.Or(getenv(variableSMTP), inboxSMTP)
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s=%s is not host:port", variableSMTP, address)
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return fmt.Errorf("%s=%s: %q is not a port", variableSMTP, address, number)
	}
	log := role.Logger(cmd.ErrOrStderr(), "inbox")
	server, err := mail.Open(mail.Options{
		Dir: getenv(variableInboxDir), Host: host, SMTPPort: int(port), Logger: log,
	})
	if err != nil {
		return fmt.Errorf("%s=%s, %s=%s: %w", variableSMTP, address, variableInboxDir, getenv(variableInboxDir), err)
	}
	return role.Run(ctx, role.Options{
		Name:    "inbox",
		Listen:  cmp.Or(getenv(role.VariableListen), inboxListen),
		Handler: server.Handler(),
		Ready:   role.AllReady(),
		Work: func(ctx context.Context) error {
			<-ctx.Done()
			return server.Close()
		},
		Drain:    inboxDrain,
		Registry: role.Registry(),
		Logger:   log,
	})
}

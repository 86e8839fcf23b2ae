package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/api/uploads"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/connect"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/role"
)

const (
	uploadsListen  = "127.0.0.1:8080"
	uploadsDrain   = 10 * time.Second // less than the job's kill_timeout
	uploadsRoleDoc = `The uploads API and its page: it signs uploads straight to the object store,
shows what became of them, and finds those whose notification never came.

It is configured by the environment:
  DRYDOCK_BUS      the event bus, as nats://host:4222 (required)
  DRYDOCK_OBJECTS  the bucket, as s3+http://host:9000/uploads or s3://bucket (required),
                   with its credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
  DRYDOCK_RECORDS  where records are kept (default: DRYDOCK_BUS)
  DRYDOCK_LISTEN   address of the API, /health/live, /health/ready and /metrics (default ` + uploadsListen + `)`
)

// uploadsCommand is the role uploads.
func uploadsCommand(getenv func(string) string) *cobra.Command {
	return &cobra.Command{
		Use:     "uploads",
		GroupID: groupRoles,
		Short:   "The uploads API and its page",
		Long:    uploadsRoleDoc,
		Example: "  DRYDOCK_BUS=nats://127.0.0.1:4222 DRYDOCK_OBJECTS=s3+http://127.0.0.1:9000/uploads drydock uploads",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveUploads(cmd.Context(), getenv, cmd)
		},
	}
}

// serveUploads wires the role and runs it until the context ends.
func serveUploads(ctx context.Context, getenv func(string) string, cmd *cobra.Command) error {
	c := connect.New(ctx, getenv)
	defer c.Close()
	var (
		objects cloud.Objects
		bus     cloud.Bus
		records cloud.Records
	)
	c.Objects(&objects)
	c.Bus(&bus)
	c.Records(&records, contract.UploadsCollection)
	if err := c.Wait(); err != nil {
		return err
	}

	log, registry := role.Logger(cmd.ErrOrStderr(), "uploads"), role.Registry()
	service := uploads.New(uploads.Options{
		Objects: objects, Records: records, Bus: bus,
		Logger: log, Registerer: registry,
	})
	return role.Run(ctx, role.Options{
		Name:     "uploads",
		Listen:   cmp.Or(getenv(role.VariableListen), uploadsListen),
		Handler:  service.Handler(),
		Ready:    role.AllReady(bus, records, objects),
		Work:     service.Run,
		Drain:    uploadsDrain,
		Registry: registry,
		Logger:   log,
	})
}

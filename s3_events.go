//go:build !image

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/spf13/cobra"
)

// eventKinds are the names of events for people, as mc watch has them.
var eventKinds = map[string][]notification.EventType{
	"put":    {notification.ObjectCreatedAll},
	"delete": {notification.ObjectRemovedAll, notification.ILMDelMarkerExpirationDelete},
	"get":    {notification.ObjectAccessedAll},
	"bucket": {notification.BucketCreatedAll, notification.BucketRemovedAll},
}

func s3EventsCommand(o *storeOptions) *cobra.Command {
	var kinds []string
	var prefix, suffix string
	var outbox bool
	cmd := &cobra.Command{
		Use:   "events [BUCKET]",
		Short: "Follow what happens in a bucket, or in all of them",
		Long: `Print each event of a bucket as it happens, until it is stopped. With --outbox,
print those events that no destination has accepted yet instead: they wait on
the disk of the store, and are delivered as soon as their destination takes them.`,
		Example: `  drydock s3 events uploads
  drydock s3 events uploads --event put --prefix incoming/ --suffix .png
  drydock s3 events --event bucket,delete       of all buckets
  drydock s3 events uploads --json | jq -r .Records[].s3.object.key
  drydock s3 events --outbox`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			bucket := strings.Join(args, "")
			if outbox {
				return o.printOutbox(cmd.Context(), bucket, cmd.OutOrStdout())
			}
			var events []string
			for _, k := range kinds {
				if eventKinds[k] == nil {
					return fmt.Errorf("--event %s is not an event: it takes put, delete, get and bucket", k)
				}
				for _, e := range eventKinds[k] {
					events = append(events, string(e))
				}
			}
			slices.Sort(events)
			return o.explain(o.follow(cmd.Context(), bucket, prefix, suffix, slices.Compact(events), cmd.OutOrStdout()))
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&kinds, "event", []string{"put", "delete", "get"}, "which events: put, delete, get, bucket")
	flags.StringVar(&prefix, "prefix", "", "of keys that begin so only")
	flags.StringVar(&suffix, "suffix", "", "of keys that end so only")
	flags.BoolVar(&outbox, "outbox", false, "print the events that wait for their destination instead")
	return cmd
}

// follow prints events until the context ends.
func (o *storeOptions) follow(ctx context.Context, bucket, prefix, suffix string, events []string, out io.Writer) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	for info := range client.ListenBucketNotification(ctx, bucket, prefix, suffix, events) {
		switch {
		case ctx.Err() != nil:
			return nil
		case info.Err != nil:
			return info.Err
		}
		if o.json {
			if err := encoder.Encode(struct{ Records []notification.Event }{info.Records}); err != nil {
				return err
			}
			continue
		}
		for _, e := range info.Records {
			if _, err := fmt.Fprintln(out, eventLine(e)); err != nil {
				return err
			}
		}
	}
	return nil
}

// eventLine is an event for people.
func eventLine(e notification.Event) string {
	key, err := url.QueryUnescape(e.S3.Object.Key)
	if err != nil {
		key = e.S3.Object.Key
	}
	line := fmt.Sprintf("%s  %-34s  %s", e.EventTime, strings.TrimPrefix(e.EventName, "s3:"), strings.TrimSuffix(e.S3.Bucket.Name+"/"+key, "/"))
	if e.S3.Object.ETag != "" {
		line += "  " + humanize.IBytes(uint64(e.S3.Object.Size))
	}
	if e.S3.Object.VersionID != "" {
		line += "  version " + e.S3.Object.VersionID
	}
	return line
}

// waiting is the answer of the store about its outbox.
type waiting struct {
	Waiting int            `json:"waiting"`
	Events  []waitingEvent `json:"events"`
}

type waitingEvent struct {
	ID          string `json:"id"`
	Destination string `json:"destination"`
	Event       string `json:"event"`
	Key         string `json:"key"`
	Time        string `json:"time"`
}

func (o *storeOptions) printOutbox(ctx context.Context, bucket string, out io.Writer) error {
	w, err := o.outbox(ctx)
	if err != nil {
		return err
	}
	if bucket != "" {
		w.Events = slices.DeleteFunc(w.Events, func(e waitingEvent) bool { return !strings.HasPrefix(e.Key, bucket+"/") })
	}
	if o.json {
		return printJSON(out, w)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range w.Events {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", e.Time, strings.TrimPrefix(e.Event, "s3:"), e.Key, e.Destination)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	switch shown := len(w.Events); {
	case w.Waiting == 0:
		_, err = fmt.Fprintln(out, "Nothing waits: all events have been accepted.")
	case shown < w.Waiting:
		_, err = fmt.Fprintf(out, "%d of %d that wait.\n", shown, w.Waiting)
	}
	return err
}

// outbox asks the store.
func (o *storeOptions) outbox(ctx context.Context) (w waiting, err error) {
	u, err := o.url()
	if err != nil {
		return w, err
	}
	u = u.JoinPath("/")
	u.RawQuery = "outbox="
	err = o.ask(ctx, http.MethodGet, u, nil, &w)
	return w, err
}

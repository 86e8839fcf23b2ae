// Command consume takes the events of one stream with a handler that does
// nothing, acknowledges each, and tells how long it took. `make bench` runs it
// beside runner/watermill, with the same arguments and the same line of output:
//
//	consume bare|runner URL STREAM CONSUMER COUNT
//
// prints {"events":N,"seconds":S}, which leaves out its own start. The bare
// loop is nats.go's own iterator and acknowledgement, and nothing else.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/workers/runner"
)

// prefetch is how many deliveries may be on their way: the default of nats.go,
// which Watermill uses too.
const prefetch = jetstream.DefaultMaxMessages

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "consume:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	ways := map[string]func(ctx context.Context, url, stream, consumer string, count int) (time.Duration, error){
		"bare": bare, "runner": drydock,
	}
	if len(args) != 5 || ways[args[0]] == nil {
		return errors.New("usage: consume bare|runner URL STREAM CONSUMER COUNT")
	}
	count, err := strconv.Atoi(args[4])
	if err != nil || count < 1 {
		return fmt.Errorf("COUNT %q is not a number above 0", args[4])
	}
	took, err := ways[args[0]](context.Background(), args[1], args[2], args[3], count)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(map[string]any{"events": count, "seconds": took.Seconds()})
}

func bare(ctx context.Context, url, stream, consumer string, count int) (time.Duration, error) {
	nc, err := client.Connect(url)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	durable, err := js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
		Durable: consumer, FilterSubject: stream + ".>", AckPolicy: jetstream.AckExplicitPolicy, MaxDeliver: -1,
	})
	if err != nil {
		return 0, err
	}
	messages, err := durable.Messages(jetstream.PullMaxMessages(prefetch))
	if err != nil {
		return 0, err
	}
	defer messages.Stop()
	for range count {
		message, err := messages.Next()
		if err != nil {
			return 0, err
		}
		if err := message.Ack(); err != nil {
			return 0, err
		}
	}
	err = nc.Flush()
	return time.Since(began), err
}

// counter is a handler that does nothing but tell when all are there.
type counter struct {
	missing int
	all     func()
}

func (c *counter) Handle(context.Context, cloud.Event) error {
	if c.missing--; c.missing == 0 {
		c.all()
	}
	return nil
}

func (c *counter) GiveUp(context.Context, cloud.Event, error) error { return nil }

func drydock(ctx context.Context, url, stream, consumer string, count int) (time.Duration, error) {
	bus, err := nats.OpenBus(ctx, url)
	if err != nil {
		return 0, err
	}
	defer bus.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	err = runner.Run(ctx, runner.Options{
		Bus: bus, Name: consumer, Topic: stream + ".>",
		Handler:  &counter{missing: count, all: stop},
		Prefetch: prefetch,
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Metrics:  runner.NewMetrics(prometheus.NewRegistry()),
	})
	return time.Since(began), err
}

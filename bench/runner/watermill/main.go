// Command watermill does with Watermill what runner/consume does with
// Drydock's runner: it takes the events of one stream with a handler that does
// nothing, with the retry and poison queue middleware, and tells how long it
// took.
//
//	watermill URL STREAM CONSUMER COUNT
//
// prints {"events":N,"seconds":S}, which leaves out its own start. It is a
// module of its own, so that Drydock does not depend on its peer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-nats/v2/pkg/jetstream"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/nats-io/nats.go"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "watermill:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	if len(args) != 4 {
		return errors.New("usage: watermill URL STREAM CONSUMER COUNT")
	}
	count, err := strconv.Atoi(args[3])
	if err != nil || count < 1 {
		return fmt.Errorf("COUNT %q is not a number above 0", args[3])
	}
	took, err := consume(args[0], args[1], args[2], count)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(map[string]any{"events": count, "seconds": took.Seconds()})
}

// consume acknowledges without waiting for the server, as the others do.
func consume(url, stream, consumer string, count int) (time.Duration, error) {
	connection, err := nats.Connect(url)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	log := watermill.NopLogger{}
	publisher, err := jetstream.NewPublisher(jetstream.PublisherConfig{Conn: connection, Logger: log})
	if err != nil {
		return 0, err
	}
	subscriber, err := jetstream.NewSubscriber(jetstream.SubscriberConfig{
		Conn: connection, Logger: log, AckAsync: true, ResourceInitializer: jetstream.GroupedConsumer(consumer),
	})
	if err != nil {
		return 0, err
	}
	router, err := message.NewRouter(message.RouterConfig{}, log)
	if err != nil {
		return 0, err
	}
	poison, err := middleware.PoisonQueue(publisher, "poison")
	if err != nil {
		return 0, err
	}
	router.AddMiddleware(poison, middleware.Retry{MaxRetries: 10, InitialInterval: time.Second, Logger: log}.Middleware)

	all := make(chan struct{})
	missing := count
	router.AddNoPublisherHandler("bench", stream, subscriber, func(*message.Message) error {
		if missing--; missing == 0 {
			close(all)
		}
		return nil
	})
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- router.Run(context.Background()) }()
	select {
	case <-all:
		err := connection.Flush()
		return time.Since(began), err
	case err := <-ended:
		return 0, fmt.Errorf("it ended before all events were there: %w", err)
	}
}

package emulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/minio/minio-go/v7/pkg/notification"

	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/emulator/nats"
	"github.com/drydock/drydock/emulator/s3"
)

const (
	host = "127.0.0.1"

	// notificationARN is how MinIO names its first NATS target.
	notificationARN = "arn:minio:sqs::PRIMARY:nats"

	reconnectWait = 100 * time.Millisecond

	headerWait = 10 * time.Second
	idleWait   = 2 * time.Minute
	closeWait  = 5 * time.Second // for requests under way
)

// natsPart is the event bus.
type natsPart struct {
	server *nats.Server
	dir    string
	log    *slog.Logger
}

func startNATS(dir string, port int, log *slog.Logger) (*natsPart, error) {
	server, err := nats.Start(nats.Options{Dir: dir, Port: port, Logger: log})
	if err != nil {
		return nil, err
	}
	return &natsPart{server: server, dir: dir, log: log}, nil
}

func (p *natsPart) restart(meanwhile func()) (*natsPart, error) {
	address, err := url.Parse(p.server.URL())
	if err != nil {
		return p, err
	}
	port, err := strconv.Atoi(address.Port())
	if err != nil {
		return p, err
	}
	if err := p.server.Close(); err != nil {
		return p, err
	}
	if meanwhile != nil {
		meanwhile()
	}
	again, err := startNATS(p.dir, port, p.log)
	if err != nil {
		return p, err
	}
	return again, nil
}

// s3Part is the object store, its HTTP server, and its way to the event bus.
type s3Part struct {
	dir     string
	keys    map[string]s3.Key
	natsURL string
	log     *slog.Logger

	address  string
	store    *s3.Server
	server   *http.Server
	notifier *client.Conn
}

func startS3(dir string, port int, k map[string]s3.Key, natsURL string, log *slog.Logger) (_ *s3Part, err error) {
	p := &s3Part{dir: dir, keys: k, natsURL: natsURL, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.notifier, err = client.Connect(natsURL,
		client.Name("object store"),
		client.MaxReconnects(-1),
		client.ReconnectWait(reconnectWait),
		client.ReconnectBufSize(-1), // fail at once while away: the store keeps events itself
	); err != nil {
		return nil, fmt.Errorf("start object store: %w", err)
	}
	js, err := jetstream.New(p.notifier)
	if err != nil {
		return nil, fmt.Errorf("start object store: %w", err)
	}
	if p.store, err = s3.Open(s3.Options{
		Dir:       dir,
		Keys:      k,
		Notifiers: map[string]s3.Notifier{notificationARN: s3.JetStream(js, contract.TopicObjectsCreated)},
		Logger:    log,
	}); err != nil {
		return nil, fmt.Errorf("start object store: %w", err)
	}
	if err := p.prepare(); err != nil {
		return nil, fmt.Errorf("start object store: %w", err)
	}
	listener, err := net.Listen("tcp", address(port))
	if err != nil {
		return nil, fmt.Errorf("start object store: %w", err)
	}
	p.address = listener.Addr().String()
	p.server = &http.Server{
		Handler:           p.store,
		ReadHeaderTimeout: headerWait,
		IdleTimeout:       idleWait,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	p.server.RegisterOnShutdown(p.store.EndListening)
	go p.server.Serve(listener)
	return p, nil
}

// prepare makes the bucket, and has it notify what arrives for the images worker.
func (p *s3Part) prepare() error {
	if err := p.store.CreateBucket(Bucket); err != nil {
		return err
	}
	arn, err := notification.NewArnFromString(notificationARN)
	if err != nil {
		return err
	}
	arrived := notification.NewConfig(arn)
	arrived.AddEvents(notification.ObjectCreatedAll)
	arrived.AddFilterPrefix(contract.Incoming)
	var all notification.Configuration
	if !all.AddQueue(arrived) {
		return errors.New("the bucket's notification is not valid")
	}
	return p.store.SetNotification(Bucket, all)
}

// close lets requests under way finish for a moment. Events that the bus has
// not taken stay on the disk.
func (p *s3Part) close() error {
	var err error
	if p.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeWait)
		defer cancel()
		if p.server.Shutdown(ctx) != nil {
			err = p.server.Close()
		}
	}
	if p.store != nil {
		err = errors.Join(err, p.store.Close())
	}
	if p.notifier != nil {
		p.notifier.Close()
	}
	return err
}

func (p *s3Part) restart(meanwhile func()) (*s3Part, error) {
	_, text, err := net.SplitHostPort(p.address)
	if err != nil {
		return p, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return p, err
	}
	if err := p.close(); err != nil {
		return p, err
	}
	if meanwhile != nil {
		meanwhile()
	}
	again, err := startS3(p.dir, port, p.keys, p.natsURL, p.log)
	if err != nil {
		return p, err
	}
	return again, nil
}

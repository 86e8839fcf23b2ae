// Package connect chooses the cloud's providers by the URLs in the
// environment, the only configuration there is:
//
//	DRYDOCK_BUS        nats://[user:password@]host[:port][?replicas=3]
//	DRYDOCK_RECORDS    the same; the value of DRYDOCK_BUS when unset
//	DRYDOCK_SCHEDULES  the same; the value of DRYDOCK_BUS when unset, and on
//	                   the same server, as the bus carries their events
//	DRYDOCK_OBJECTS    s3+http://host:port/bucket, s3+https://host/bucket or
//	                   s3://bucket[?region=…], with the credentials in
//	                   AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
//	DRYDOCK_MAIL       smtp://[user:password@]host[:port][?…] or smtps://…, with
//	                   the options that package smtp lists
//
// A missing or wrong value is an error of one line that names the variable,
// what it held with passwords masked, and what it takes.
package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/cloud/s3"
	"github.com/drydock/drydock/cloud/smtp"
)

// Names of the variables.
const (
	VariableBus       = "DRYDOCK_BUS"
	VariableRecords   = "DRYDOCK_RECORDS"
	VariableSchedules = "DRYDOCK_SCHEDULES"
	VariableObjects   = "DRYDOCK_OBJECTS"
	VariableMail      = "DRYDOCK_MAIL"
)

// wait bounds how long the providers may take to answer for the first time.
const wait = 30 * time.Second

// Connections are a program's, made side by side. A program asks for all that
// it needs, each to be put where it says, and waits for them:
//
//	c := connect.New(ctx, os.Getenv)
//	defer c.Close()
//	var bus cloud.Bus
//	c.Bus(&bus)
//	if err := c.Wait(); err != nil {
//		return err
//	}
//
// They are asked for by one goroutine.
type Connections struct {
	ctx    context.Context // of the connecting
	cancel context.CancelFunc
	getenv func(string) string
	group  *errgroup.Group
	wrong  error // the first wrong value

	mu     sync.Mutex
	opened []io.Closer
}

// New begins the time for connecting: half a minute, or until the context ends.
// The caller closes the connections.
func New(ctx context.Context, getenv func(string) string) *Connections {
	ctx, cancel := context.WithTimeout(ctx, wait)
	group, ctx := errgroup.WithContext(ctx)
	return &Connections{ctx: ctx, cancel: cancel, getenv: getenv, group: group}
}

// Wait returns when there is all that was asked for, or else why not: the first
// wrong value, or the first provider that failed.
func (c *Connections) Wait() error {
	if c.wrong != nil {
		c.cancel()
	}
	err := c.group.Wait()
	if c.wrong != nil {
		return c.wrong
	}
	return err
}

// Close ends all of them.
func (c *Connections) Close() error {
	c.cancel()
	_ = c.group.Wait() // who connects still gives up
	var errs []error
	for _, opened := range c.opened {
		errs = append(errs, opened.Close())
	}
	c.opened = nil
	return errors.Join(errs...)
}

// Bus asks for the bus that DRYDOCK_BUS names.
func (c *Connections) Bus(to *cloud.Bus) {
	open(c, to, VariableBus, func(ctx context.Context, url string) (cloud.Bus, error) { return nats.OpenBus(ctx, url) })
}

// DeadLetters asks for the letters on the bus that DRYDOCK_BUS names.
func (c *Connections) DeadLetters(to *cloud.DeadLetters) {
	open(c, to, VariableBus, func(ctx context.Context, url string) (cloud.DeadLetters, error) {
		return nats.OpenDeadLetters(ctx, url)
	})
}

// Records asks for the collection where DRYDOCK_RECORDS says.
func (c *Connections) Records(to *cloud.Records, collection string) {
	open(c, to, c.orBus(VariableRecords), func(ctx context.Context, url string) (cloud.Records, error) {
		return nats.OpenRecords(ctx, url, collection)
	})
}

// Schedules asks for the schedules that are where DRYDOCK_SCHEDULES says, of
// which the one that is given is declared.
func (c *Connections) Schedules(to *cloud.Schedules, declared cloud.Schedule) {
	open(c, to, c.orBus(VariableSchedules), func(ctx context.Context, url string) (cloud.Schedules, error) {
		schedules, err := nats.OpenSchedules(ctx, url)
		if err != nil {
			return nil, err
		}
		if err := schedules.Declare(ctx, declared); err != nil {
			return nil, errors.Join(err, schedules.Close())
		}
		return schedules, nil
	})
}

// open opens what a server of NATS has, in a goroutine of its own.
func open[T io.Closer](c *Connections, to *T, variable string, connect func(ctx context.Context, url string) (T, error)) {
	value := c.read(variable, "nats://[user:password@]host[:port]", "nats")
	if c.wrong != nil {
		return
	}
	c.group.Go(func() error {
		opened, err := connect(c.ctx, value)
		if err != nil {
			return c.because(variable, err)
		}
		*to = opened
		c.mu.Lock()
		defer c.mu.Unlock()
		c.opened = append(c.opened, opened)
		return nil
	})
}

// Objects prepares the bucket that DRYDOCK_OBJECTS names. The store is first
// asked when it is used.
func (c *Connections) Objects(to *cloud.Objects) {
	value := c.read(VariableObjects, "s3+http://host:port/bucket, s3+https://host/bucket or s3://bucket", "s3", "s3+http", "s3+https")
	if c.wrong != nil {
		return
	}
	objects, err := s3.Open(value, nil)
	if err != nil {
		c.wrong = c.because(VariableObjects, err)
		return
	}
	*to = objects
}

// Mailer prepares the mail server that DRYDOCK_MAIL names. The server is first
// asked when it is used.
func (c *Connections) Mailer(to *cloud.Mailer) {
	value := c.read(VariableMail, "smtp://[user:password@]host[:port] or smtps://[user:password@]host[:port]", "smtp", "smtps")
	if c.wrong != nil {
		return
	}
	mailer, err := smtp.Open(value)
	if err != nil {
		c.wrong = c.because(VariableMail, err)
		return
	}
	*to = mailer
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened = append(c.opened, mailer)
}

// orBus returns the variable's name if it is set, else the bus's.
func (c *Connections) orBus(variable string) string {
	if c.getenv(variable) == "" {
		return VariableBus
	}
	return variable
}

// because names the variable whose value did not do.
func (c *Connections) because(variable string, err error) error {
	return fmt.Errorf("%s=%s: %w", variable, mask(c.getenv(variable)), err)
}

// read returns a variable's value if its scheme is one that a provider serves,
// or else keeps what is wrong, unless something was before.
func (c *Connections) read(variable, takes string, schemes ...string) string {
	value := c.getenv(variable)
	u, err := url.Parse(value)
	switch {
	case c.wrong != nil:
	case value == "":
		c.wrong = fmt.Errorf("%s is not set: it takes %s", variable, takes)
	case err != nil || !slices.Contains(schemes, u.Scheme):
		c.wrong = fmt.Errorf("%s=%s is not of a known kind: it takes %s", variable, mask(value), takes)
	}
	return value
}

// mask hides a URL's password, and everything where there is no telling what is one.
func mask(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return "(hidden, not a URL)"
	}
	return u.Redacted()
}

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
// what it held with passwords masked, and what it takes. The programs call it
// once, where they wire their roles.
package connect

import (
	"context"
	"fmt"
	"net/url"

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

const (
	takesNATS = "nats://[user:password@]host[:port]"
	takesS3   = "s3+http://host:port/bucket, s3+https://host/bucket or s3://bucket"
	takesSMTP = "smtp://[user:password@]host[:port] or smtps://[user:password@]host[:port]"
)

// Bus connects to the bus that DRYDOCK_BUS names; the context bounds the wait
// for it. The caller closes it.
func Bus(ctx context.Context, getenv func(string) string) (cloud.Bus, error) {
	value, err := read(getenv, VariableBus, takesNATS, "nats")
	if err != nil {
		return nil, err
	}
	bus, err := nats.OpenBus(ctx, value)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", VariableBus, mask(value), err)
	}
	return bus, nil
}

// DeadLetters connects to the letters on the bus that DRYDOCK_BUS names; the
// context bounds the wait for it. The caller closes them.
func DeadLetters(ctx context.Context, getenv func(string) string) (cloud.DeadLetters, error) {
	value, err := read(getenv, VariableBus, takesNATS, "nats")
	if err != nil {
		return nil, err
	}
	letters, err := nats.OpenDeadLetters(ctx, value)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", VariableBus, mask(value), err)
	}
	return letters, nil
}

// Records opens the collection where DRYDOCK_RECORDS says; the context bounds
// the wait for it. The caller closes it.
func Records(ctx context.Context, getenv func(string) string, collection string) (cloud.Records, error) {
	variable := orBus(getenv, VariableRecords)
	value, err := read(getenv, variable, takesNATS, "nats")
	if err != nil {
		return nil, err
	}
	records, err := nats.OpenRecords(ctx, value, collection)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", variable, mask(value), err)
	}
	return records, nil
}

// Schedules connects to where DRYDOCK_SCHEDULES says; the context bounds the
// wait for it. The caller closes them.
func Schedules(ctx context.Context, getenv func(string) string) (cloud.Schedules, error) {
	variable := orBus(getenv, VariableSchedules)
	value, err := read(getenv, variable, takesNATS, "nats")
	if err != nil {
		return nil, err
	}
	schedules, err := nats.OpenSchedules(ctx, value)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", variable, mask(value), err)
	}
	return schedules, nil
}

// orBus returns the variable's name if it is set, else the bus's.
func orBus(getenv func(string) string, variable string) string {
	if getenv(variable) == "" {
		return VariableBus
	}
	return variable
}

// Objects prepares the bucket that DRYDOCK_OBJECTS names. The store is first
// asked when it is used.
func Objects(getenv func(string) string) (cloud.Objects, error) {
	value, err := read(getenv, VariableObjects, takesS3, "s3", "s3+http", "s3+https")
	if err != nil {
		return nil, err
	}
	objects, err := s3.Open(value, nil)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", VariableObjects, mask(value), err)
	}
	return objects, nil
}

// Mailer prepares the mail server that DRYDOCK_MAIL names. The server is first
// asked when it is used. The caller closes it.
func Mailer(getenv func(string) string) (cloud.Mailer, error) {
	value, err := read(getenv, VariableMail, takesSMTP, "smtp", "smtps")
	if err != nil {
		return nil, err
	}
	mailer, err := smtp.Open(value)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", VariableMail, mask(value), err)
	}
	return mailer, nil
}

// read returns a variable's value if its scheme is one that a provider serves.
func read(getenv func(string) string, variable, takes string, schemes ...string) (string, error) {
	value := getenv(variable)
	if value == "" {
		return "", fmt.Errorf("%s is not set: it takes %s", variable, takes)
	}
	if u, err := url.Parse(value); err == nil {
		for _, scheme := range schemes {
			if u.Scheme == scheme {
				return value, nil
			}
		}
	}
	return "", fmt.Errorf("%s=%s is not of a known kind: it takes %s", variable, mask(value), takes)
}

// mask hides a URL's password, and everything where there is no telling what is one.
func mask(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return "(hidden, not a URL)"
	}
	return u.Redacted()
}

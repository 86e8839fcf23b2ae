// Package connect chooses the cloud's providers by the URLs in the
// environment, the only configuration there is:
//
//	DRYDOCK_BUS      nats://[user:password@]host[:port][?replicas=3]
//	DRYDOCK_RECORDS  the same; the value of DRYDOCK_BUS when unset
//	DRYDOCK_OBJECTS  s3+http://host:port/bucket, s3+https://host/bucket or
//	                 s3://bucket[?region=…], with the credentials in
//	                 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
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
)

// Names of the variables.
const (
	VariableBus     = "DRYDOCK_BUS"
	VariableRecords = "DRYDOCK_RECORDS"
	VariableObjects = "DRYDOCK_OBJECTS"
)

const (
	takesNATS = "nats://[user:password@]host[:port]"
	takesS3   = "s3+http://host:port/bucket, s3+https://host/bucket or s3://bucket"
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

// Records opens the collection where DRYDOCK_RECORDS says; the context bounds
// the wait for it. The caller closes it.
func Records(ctx context.Context, getenv func(string) string, collection string) (cloud.Records, error) {
	variable := VariableRecords
	if getenv(variable) == "" {
		variable = VariableBus
	}
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

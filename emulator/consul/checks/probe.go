package checks

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/hashicorp/consul/api"
)

// ErrNotImplemented is about a check that an agent on this operating system cannot run.
var ErrNotImplemented = errors.New("not implemented")

// probe asks a target once. It returns when ctx ends at the latest, and then its result does not count. Errors are results
// too: the zero Result alone says that nothing was found.
type probe func(ctx context.Context) Result

func newProbe(d Definition) (probe, error) {
	switch d.Type() {
	case TypeHTTP:
		return httpProbe(d), nil
	case TypeTCP:
		return tcpProbe(d), nil
	case TypeUDP:
		return udpProbe(d), nil
	case TypeGRPC:
		return grpcProbe(d), nil
	case TypeH2Ping:
		return h2pingProbe(d), nil
	case TypeScript:
		return scriptProbe(d), nil
	case TypeDocker:
		return dockerProbe(d), nil
	}
	return nil, ErrNotImplemented
}

func passing(output string) Result { return Result{Status: api.HealthPassing, Output: output} }

func critical(output string) Result { return Result{Status: api.HealthCritical, Output: output} }

// tlsConfig is for a target that is spoken to over TLS.
func (d Definition) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: d.TLSServerName, InsecureSkipVerify: d.TLSSkipVerify, MinVersion: tls.VersionTLS12}
}

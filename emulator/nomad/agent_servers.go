package nomad

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

const (
	// rpcPort is the one that servers are asked on, unless another is named.
	rpcPort = 4647
	// pingWait bounds how long an address is tried.
	pingWait = 5 * time.Second
)

func (r *request) agentServers() (any, error) {
	if err := r.need(acl.Read, acl.Agent); err != nil {
		return nil, err
	}
	return []string{r.asked.rpcAddress()}, nil
}

// setAgentServers is an error when nobody is at any of the addresses.
func (r *request) setAgentServers() (any, error) {
	if err := r.need(acl.Write, acl.Agent); err != nil {
		return nil, err
	}
	addresses := r.query["address"]
	if len(addresses) == 0 {
		return nil, badRequest("missing server addresses")
	}
	var failures []string
	for _, address := range addresses {
		err := r.asked.ping(r.Context(), address)
		if err == nil {
			return nil, nil
		}
		failures = append(failures, err.Error())
	}
	return nil, badRequest("%s", errorList(failures))
}

// ping is an error unless a server may be at the address: the agent's own, or
// one where somebody listens.
func (r *region) ping(ctx context.Context, address string) error {
	if address == r.rpcAddress() {
		return nil
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(address, strconv.Itoa(rpcPort))
	}
	dialer := net.Dialer{Timeout: pingWait}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	var unknown *net.DNSError
	switch {
	case err == nil:
		return connection.Close()
	case errors.As(err, &unknown):
		return unknown
	}
	return badRequest("Server at address %s failed ping: rpc error: failed to get conn: %v", address, err)
}

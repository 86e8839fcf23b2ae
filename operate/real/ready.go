package real

import (
	"context"
	"errors"
	"fmt"
	"time"

	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
)

const (
	registerWait = 2 * time.Second // for the client to register once the server leads, where nothing is in its way
	newStarts    = 5               // until it is given all the time that it takes
	stopWait     = 20 * time.Second
)

// consulReady tells whether Consul has a leader, and knows its own node.
func (s *Stack) consulReady(ctx context.Context) error {
	client, err := consul.NewClient(&consul.Config{Address: s.Consul})
	if err != nil {
		return err
	}
	reading := (&consul.QueryOptions{RequireConsistent: true}).WithContext(ctx)
	nodes, _, err := client.Catalog().Nodes(reading)
	if err == nil && len(nodes) == 0 {
		err = errors.New("it has not registered itself")
	}
	return err
}

// nomadLeads tells whether Nomad's server leads, and has the keys without which
// clients cannot register.
func (s *Stack) nomadLeads(ctx context.Context) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	defer client.Close()
	keys, _, err := client.Keyring().List((&api.QueryOptions{}).WithContext(ctx))
	if err == nil && len(keys) == 0 {
		err = errors.New("its keyring is not there")
	}
	return err
}

// nodeUp waits until Nomad's client can run jobs with the driver. Its server
// leads a moment before it has its keys, and a client that registers in that
// moment is refused and asks again as late as after 20 seconds: a new start is
// quicker. It happens in about every third start.
func (s *Stack) nodeUp(ctx context.Context, driver string) error {
	agent := s.nomadAgent()
	for range newStarts {
		soon, cancel := context.WithTimeout(ctx, registerWait)
		err := agent.WaitReady(soon, s.nodeReady)
		cancel()
		if err == nil {
			return s.hasDriver(ctx, driver)
		}
		if err := agent.Stop(ctx, stopWait); err != nil {
			return err
		}
		if err := agent.Start(); err != nil {
			return err
		}
		if err := waitFor(ctx, agent, s.nomadLeads); err != nil {
			return err
		}
	}
	if err := waitFor(ctx, agent, s.nodeReady); err != nil {
		return err
	}
	return s.hasDriver(ctx, driver)
}

// nodeReady tells whether the client has registered since it was started, and
// may be given jobs: what the server says of it may be from before.
func (s *Stack) nodeReady(ctx context.Context) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	defer client.Close()
	var self api.AgentSelf
	if _, err := client.Raw().Query("/v1/agent/self", &self, (&api.QueryOptions{}).WithContext(ctx)); err != nil {
		return err
	}
	if ttl := self.Stats["client"]["heartbeat_ttl"]; ttl == "" || ttl == "0s" { // until the server gives it one
		return errors.New("its client has not registered")
	}
	node, err := s.node(ctx)
	if err == nil && node.Status != api.NodeStatusReady {
		err = fmt.Errorf("its client is %s", node.Status)
	}
	return err
}

// node is the one that is the client of this agent.
func (s *Stack) node(ctx context.Context) (*api.Node, error) {
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	reading := (&api.QueryOptions{}).WithContext(ctx)
	nodes, _, err := client.Nodes().List(reading)
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		return nil, errors.New("its client has not registered")
	}
	node, _, err := client.Nodes().Info(nodes[0].ID, reading)
	return node, err
}

func (s *Stack) hasDriver(ctx context.Context, driver string) error {
	node, err := s.node(ctx)
	if err != nil {
		return err
	}
	info := node.Drivers[driver]
	if info == nil || !info.Healthy {
		why := "it is not there"
		if info != nil {
			why = info.HealthDescription
		}
		return fmt.Errorf("use the driver %s on this machine: Nomad says that %s: use the driver raw_exec", driver, why)
	}
	return nil
}

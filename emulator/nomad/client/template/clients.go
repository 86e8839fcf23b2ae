package template

import (
	"sync"

	"github.com/hashicorp/consul-template/dependency"

	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// clients are those of Consul and of the region's HTTP API, with the identity
// of the task as it is now.
type clients struct {
	config Config
	task   hook.Task

	mu    sync.Mutex
	set   *dependency.ClientSet
	token string // that the set has
}

// get returns the clients to ask with.
func (c *clients) get() (*dependency.ClientSet, error) {
	token := c.task.Token()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set != nil && c.token == token {
		return c.set, nil
	}
	set := dependency.NewClientSet()
	err := set.CreateNomadClient(&dependency.CreateNomadClientInput{
		Address: c.config.Nomad, Namespace: c.task.Allocation().Namespace, Token: token,
	})
	if err == nil && c.config.Consul != "" {
		err = set.CreateConsulClient(&dependency.CreateConsulClientInput{Address: c.config.Consul, Token: c.config.ConsulToken})
	}
	if err != nil {
		return nil, err
	}
	if c.set != nil {
		c.set.Stop()
	}
	c.set, c.token = set, token
	return set, nil
}

// stop closes the connections that nothing is asked over.
func (c *clients) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set != nil {
		c.set.Stop()
	}
}

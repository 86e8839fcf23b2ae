package client

import (
	"encoding/json"
	"sync"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/nomad/api"

	taskenv "github.com/drydock/drydock/emulator/nomad/client/environment"
)

// configCache remembers the config block that was decoded last, if it refers to
// nothing: the many allocations of a large job have it in common.
type configCache struct {
	mu     sync.Mutex
	spec   *api.Task
	config json.RawMessage
}

// decode is decodeTaskConfig.
func (c *configCache) decode(spec *api.Task, schema hcldec.Spec, env taskenv.Env) (json.RawMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spec == spec {
		return c.config, nil
	}
	config, constant, err := decodeTaskConfig(spec.Config, schema, env)
	if err == nil && constant {
		c.spec, c.config = spec, config
	}
	return config, err
}

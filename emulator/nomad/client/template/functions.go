package template

import (
	"fmt"

	"github.com/drydock/drydock/emulator/nomad/client/environment"
)

// envFunctions are consul-template's env functions over the environment of the
// task alone: its own look into that of the owner as well.
func envFunctions(env environment.Env) map[string]any {
	lookUp := func(name string) (string, bool) {
		if value, ok := env.Get(name); ok {
			return value, true
		}
		return env.Reference(name)
	}
	return map[string]any{
		"env": func(name string) string {
			value, _ := lookUp(name)
			return value
		},
		"envOrDefault": func(name, otherwise string) string {
			if value, ok := lookUp(name); ok {
				return value
			}
			return otherwise
		},
		"mustEnv": func(name string) (string, error) {
			if value, _ := lookUp(name); value != "" {
				return value, nil
			}
			return "", fmt.Errorf("required environment variable %s is empty", name)
		},
	}
}

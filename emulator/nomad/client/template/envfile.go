package template

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-envparse"
)

// readEnv takes the variables from what the env templates are rendered to.
func (r *renderer) readEnv() error {
	env := map[string]string{}
	for _, b := range r.blocks {
		if !b.done || !*b.spec.Envvars {
			continue
		}
		vars, err := envparse.Parse(strings.NewReader(b.output))
		if err != nil {
			return &failure{fmt.Sprintf("Template failed to read environment variables: error parsing env template %q: %s", filepath.Join(b.root, b.file), err)}
		}
		maps.Copy(env, vars)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.env = env
	return nil
}

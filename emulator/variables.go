package emulator

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/nomad/api"
)

// registeredPath is the Nomad variable that says which jobs the stack has
// registered, so that it stops those whose files are gone and no other.
const registeredPath = "drydock/jobs"

// registered are the jobs that the stack has registered, with their namespaces.
func (s *Stack) registered(ctx context.Context) (map[string]string, error) {
	found, _, err := s.client.Variables().Peek(registeredPath, reading(ctx, api.DefaultNamespace))
	if err != nil {
		return nil, fmt.Errorf("read which jobs are registered: %w", err)
	}
	if found == nil {
		return nil, nil
	}
	return found.Items, nil
}

// secretsOf is what a job reads from its Nomad variable, of what there is.
func (s *Stack) secretsOf(j job) (map[string]string, error) {
	items, err := j.Items()
	if err != nil {
		return nil, err
	}
	return items.Pick(map[string]string{
		"bus":             s.NATSURL(),
		"objects":         s.objectsURL(),
		"access_key":      j.Name,
		"secret_key":      s.keys[j.Name],
		"market":          s.Market.URL(),
		"mail":            s.Mail.SMTPURL(),
		"mail_from":       mailFrom,
		"public_url":      "http://" + address(s.options.Ports[linkedJob]),
		"unsubscribe_key": s.secrets[unsubscribeKey],
	}), nil
}

// putVariable writes a variable of Nomad, unless it is so already. Without items
// there is none.
func (s *Stack) putVariable(ctx context.Context, path string, items map[string]string) error {
	found, _, err := s.client.Variables().Peek(path, reading(ctx, api.DefaultNamespace))
	switch {
	case err != nil:
	case found != nil && maps.Equal(found.Items, items) || found == nil && len(items) == 0:
	case len(items) == 0:
		_, err = s.client.Variables().Delete(path, writing(ctx, api.DefaultNamespace))
	default:
		_, _, err = s.client.Variables().Update(&api.Variable{Path: path, Items: items}, writing(ctx, api.DefaultNamespace))
	}
	if err != nil {
		return fmt.Errorf("put the Nomad variable %s: %w", path, err)
	}
	return nil
}

func reading(ctx context.Context, namespace string) *api.QueryOptions {
	return (&api.QueryOptions{Namespace: namespace}).WithContext(ctx)
}

func writing(ctx context.Context, namespace string) *api.WriteOptions {
	return (&api.WriteOptions{Namespace: namespace}).WithContext(ctx)
}

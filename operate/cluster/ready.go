package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// readiness tells how to ask whether an agent of the zone is ready.
func (z Zone) readiness(agent string) func(context.Context) error {
	switch agent {
	case consulAgent:
		return z.consulReady
	case nomadServer:
		return z.serverReady
	default:
		return z.nodeReady
	}
}

var errNoLeader = errors.New("the servers have no leader yet")

func (z Zone) consulReady(ctx context.Context) error {
	var leader string
	if err := get(ctx, z.Consul+"/v1/status/leader", &leader); err != nil {
		return err
	}
	if leader == "" {
		return errNoLeader
	}
	return nil
}

// serverReady asks for the keys, which the leader makes before it can take nodes in.
func (z Zone) serverReady(ctx context.Context) error {
	var keys []any
	if err := get(ctx, z.Nomad+"/v1/operator/keyring/keys", &keys); err != nil {
		return err
	}
	if len(keys) == 0 {
		return errNoLeader
	}
	return nil
}

// nodeReady asks whether the client has found servers, and Nomad takes it for a
// node to run tasks on.
func (z Zone) nodeReady(ctx context.Context) error {
	var health any
	if err := get(ctx, z.clientURL()+"/v1/agent/health?type=client", &health); err != nil {
		return err
	}
	var nodes []struct{ Name, Status string }
	if err := get(ctx, z.Nomad+"/v1/nodes", &nodes); err != nil {
		return err
	}
	for _, node := range nodes {
		if node.Name == nodeName(z.Name) && node.Status == "ready" {
			return nil
		}
	}
	return fmt.Errorf("node %s is not ready", nodeName(z.Name))
}

// get reads what a URL answers.
func get(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: %s: %s", url, response.Status, strings.TrimSpace(string(body)))
	}
	return json.Unmarshal(body, into)
}

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/operate/deploy"
)

// volumeNames are the host volumes of each zone, where parts of the platform
// keep their data.
var volumeNames = []string{"nats", "minio", "postgres"}

// roleCount is how many instances of a role there are: when a zone fails one is
// left, and there is a place for each of a new version beside them.
const roleCount = "2"

// alertsPort is the port of the alerts API, which links in mails name.
const alertsPort = 8082

// deploy has the cluster run the jobs. The bus and the objects are spread over
// all zones; what jobs reach is named by Consul, wherever it is.
func (s *Stack) deploy(ctx context.Context, o Options) error {
	z := s.Zones[0]
	nomadClient, err := nomad.NewClient(&nomad.Config{Address: z.Nomad})
	if err != nil {
		return fmt.Errorf("deploy the jobs: %w", err)
	}
	defer nomadClient.Close()
	consulClient, err := consul.NewClient(&consul.Config{Address: z.Consul})
	if err != nil {
		return fmt.Errorf("deploy the jobs: %w", err)
	}
	variables, err := s.variables()
	if err != nil {
		return err
	}
	return deploy.Run(ctx, deploy.Options{
		Nomad: nomadClient, Consul: consulClient, Jobs: o.Jobs, Progress: o.Progress,
		Variables: variables,
		Addresses: map[string]string{
			"events":  "nats.service.consul:4222",
			"objects": "minio.service.consul:9000",
			"market":  "market.service.consul:8084",
			"mail":    "inbox.service.consul:1025",
		},
		Items: map[string]string{
			"mail_from":  "Drydock <alerts@drydock.example>",
			"public_url": fmt.Sprintf("http://alerts.service.consul:%d", alertsPort),
		},
	})
}

// variables are the values of the job files' HCL variables.
func (s *Stack) variables() (map[string]string, error) {
	var addresses []string
	for _, z := range s.Zones {
		addresses = append(addresses, z.Address)
	}
	nodes, err := json.Marshal(addresses)
	if err != nil {
		return nil, fmt.Errorf("deploy the jobs: %w", err)
	}
	return map[string]string{
		"count":            roleCount,
		"nats.count":       strconv.Itoa(len(s.Zones)),
		"minio.nodes":      string(nodes),
		"alerts.http_port": strconv.Itoa(alertsPort),
	}, nil
}

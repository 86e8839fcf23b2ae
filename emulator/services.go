package emulator

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"

	consul "github.com/hashicorp/consul/api"
)

// partCheck is how often Consul looks whether a part is there.
const partCheck = "2s"

// registerParts has Consul know the parts by the names that they have as jobs
// on a cluster, so that they are found in the same way.
func (s *Stack) registerParts(ctx context.Context) error {
	client, err := consul.NewClient(&consul.Config{Address: s.Consul.URL("dc1"), Transport: &http.Transport{DisableKeepAlives: true}})
	if err != nil {
		return err
	}
	for name, at := range map[string]string{
		"nats": s.NATSURL(), "minio": s.S3URL(), "market": s.Market.URL(), "inbox": s.Mail.SMTPURL(), "inbox-page": s.Mail.URL(),
	} {
		where, err := url.Parse(at)
		if err != nil {
			return err
		}
		port, err := strconv.Atoi(where.Port())
		if err != nil {
			return err
		}
		if err := client.Agent().ServiceRegisterOpts(&consul.AgentServiceRegistration{
			ID: "part-" + name, Name: name, Address: where.Hostname(), Port: port,
			Check: &consul.AgentServiceCheck{Name: "reachable", TCP: net.JoinHostPort(where.Hostname(), where.Port()), Interval: partCheck, Timeout: partCheck},
		}, consul.ServiceRegisterOpts{}.WithContext(ctx)); err != nil {
			return fmt.Errorf("register %s with Consul: %w", name, err)
		}
	}
	return nil
}

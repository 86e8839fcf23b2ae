package consul

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/consul-template/config"
	"github.com/hashicorp/consul-template/manager"
	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// templatePatience is how long a rendering may take on a busy machine.
const templatePatience = 30 * time.Second

// consul-template follows what it renders through blocking queries.
func TestConsulTemplateFollowsKeysAndServices(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	official := client(t, c)
	put := func(value string) {
		_, err := official.KV().Put(&api.KVPair{Key: "greeting", Value: []byte(value)}, nil)
		require.NoError(t, err)
	}
	put("hello")
	file := filepath.Join(t.TempDir(), "rendered")
	settings := config.DefaultConfig().Merge(&config.Config{
		Consul: &config.ConsulConfig{Address: config.String(c.URL("dc1")[len("http://"):]), Transport: &config.TransportConfig{DisableKeepAlives: config.Bool(true)}},
		Templates: &config.TemplateConfigs{{
			Contents:    config.String(`{{ key "greeting" }}{{ range service "web" }} {{ .Address }}:{{ .Port }}{{ end }}`),
			Destination: config.String(file),
			Wait:        &config.WaitConfig{Enabled: config.Bool(false)},
		}},
	})
	settings.Finalize()
	runner, err := manager.NewRunner(settings, false)
	require.NoError(t, err)
	go runner.Start()
	t.Cleanup(func() {
		runner.Stop()
		select {
		case <-runner.DoneCh:
		case <-time.After(templatePatience):
			assert.Fail(t, "consul-template does not stop")
		}
	})
	renders := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool {
			text, err := os.ReadFile(file)
			return err == nil && string(text) == want
		}, templatePatience, 10*time.Millisecond, want)
	}
	renders("hello")
	put("good day")
	renders("good day")
	require.NoError(t, official.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: "web", Address: "10.0.0.1", Port: 80}))
	renders("good day 10.0.0.1:80")
	require.NoError(t, official.Agent().ServiceDeregister("web"))
	renders("good day")
}

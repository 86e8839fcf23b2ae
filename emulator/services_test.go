package emulator_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator"
)

func TestConsulKnowsTheParts(t *testing.T) {
	t.Parallel()
	stack := start(t, emulator.Options{})
	client, err := consul.NewClient(&consul.Config{Address: stack.Consul.URL("dc1"), Transport: &http.Transport{DisableKeepAlives: true}})
	require.NoError(t, err)
	healthy := func(name string) []*consul.ServiceEntry {
		found, _, err := client.Health().Service(name, "", true, nil)
		require.NoError(t, err)
		return found
	}
	for name, at := range map[string]string{"nats": stack.NATSURL(), "minio": stack.S3URL(), "market": stack.Market.URL(), "inbox": stack.Mail.SMTPURL(), "inbox-page": stack.Mail.URL()} {
		require.Eventually(t, func() bool { return len(healthy(name)) == 1 }, time.Minute, 10*time.Millisecond, name)
		where, err := url.Parse(at)
		require.NoError(t, err)
		assert.Equal(t, where.Port(), strconv.Itoa(healthy(name)[0].Service.Port), name)
	}
	require.NoError(t, stack.RestartNATS(func() {
		require.Eventually(t, func() bool { return len(healthy("nats")) == 0 }, time.Minute, 10*time.Millisecond)
	}))
	require.Eventually(t, func() bool { return len(healthy("nats")) == 1 }, time.Minute, 10*time.Millisecond)
}

package consul

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

func TestFieldsMayHaveTheNamesOfFiles(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"name":"a_b","enable_tag_override":true}`:                   `{"enabletagoverride":true,"name":"a_b"}`,
		`{"meta":{"a_b":"c_d"},"checks":[{"tls_skip_verify":true}]}`:  `{"checks":[{"tlsskipverify":true}],"meta":{"a_b":"c_d"}}`,
		`{"tagged_addresses":{"lan_ipv4":{"ad_dress":"x"}},"port":1}`: `{"port":1,"taggedaddresses":{"lan_ipv4":{"address":"x"}}}`,
		`{"proxy":{"config":{"a_b":{"c_d":1}},"up_streams":[{}]}}`:    `{"proxy":{"config":{"a_b":{"c_d":1}},"upstreams":[{}]}}`,
		`{"port":12345678901234567890,"_":0}`:                         `{"":0,"port":12345678901234567890}`,
		`["a_b"]`:                                                     `["a_b"]`,
		`{"a_`:                                                        `{"a_`,
	} {
		assert.Equal(t, want, string(plainNames([]byte(body))))
	}
}

// What is accepted can be kept and told again.
func FuzzDefinitions(f *testing.F) {
	for _, seed := range []string{
		`{"Name":"web","Port":80,"Check":{"TTL":"10s"},"Connect":{"SidecarService":{}}}`,
		`{"name":"web","tagged_addresses":{"lan":{"address":"1.2.3.4","port":5}},"check":{"deregister_critical_service_after":"90m","ttl":1}}`,
		`{"Name":"p","Kind":"connect-proxy","Port":1,"Proxy":{"DestinationServiceName":"x","Upstreams":[{"DestinationName":"a","LocalBindPort":1}]}}`,
		`{"Name":"m","Ports":[{"Name":"a","Port":2,"Default":true}],"Weights":{"Passing":1,"Warning":1}}`,
		`null`, `[]`, `{"Checks":[null]}`,
	} {
		f.Add(seed)
	}
	store, err := state.New()
	require.NoError(f, err)
	c := &Consul{log: slog.New(slog.DiscardHandler)}
	a := newAgent(&datacenter{consul: c, name: "dc1", store: store, running: context.Background()}, Agent{Node: "here"})
	f.Fuzz(func(t *testing.T, body string) {
		recorder := httptest.NewRecorder()
		r := newRequest(a, recorder, httptest.NewRequest(http.MethodPut, "/v1/agent/service/register", strings.NewReader(body)))
		var d ServiceDefinition
		if r.decodeDefinition(&d) != nil || a.checkService(d, false) != nil {
			return
		}
		s := a.instance(d)
		completeInstance(&s)
		require.NotEmpty(t, s.ID)
		for _, kept := range []any{s, a.checksOf(d.allChecks(), &s), a.serviceAnswer(&s)} {
			_, err := json.Marshal(kept)
			require.NoError(t, err)
		}
	})
}

package consul

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAddressesAreMovedBetweenServices(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	configure(t, c, `{"Kind":"service-resolver","Name":"one"}`, `{"Kind":"service-resolver","Name":"two"}`)
	internal := client(t, c).Internal()
	for _, step := range []struct {
		service string
		ips     []string
		found   bool
		from    []string
	}{
		{"missing", []string{"1.1.1.1"}, false, nil},
		{"one", []string{"1.1.1.1", "2.2.2.2"}, true, nil},
		{"two", []string{"2.2.2.2"}, true, []string{"one"}},
		{"two", []string{"2.2.2.2", "3.3.3.3"}, true, nil},
		{"missing", []string{"1.1.1.1"}, false, nil},
		{"one", []string{"1.1.1.1", "2.2.2.2", "3.3.3.3"}, true, []string{"two"}},
		{"two", nil, true, nil},
	} {
		answer, _, err := internal.AssignServiceVirtualIP(t.Context(), step.service, step.ips, nil)
		require.NoError(t, err)
		assert.Equal(t, step.found, answer.ServiceFound, step)
		var from []string
		for _, peered := range answer.UnassignedFrom {
			from = append(from, peered.ServiceName.Name)
		}
		assert.Equal(t, step.from, from, step)
	}
	for body, want := range map[string]string{
		``:                                     "400 Request decode failed: EOF",
		`{"Bogus":1}`:                          `400 Request decode failed: json: unknown field "Bogus"`,
		`{"Service":"one","ManualVIPs":["x"]}`: `500 "<nil>" is not a valid ip address`,
		`{"Service":"one","ManualVIPs":["1.1.1.1","","","","","","","",""]}`: "500 cannot associate more than 8 manual virtual IPs with the same service",
		`{"Service":"none"}`: `200 {"Found":false,"UnassignedFrom":null}`,
	} {
		status, _, text := ask(t, c, http.MethodPut, "/v1/internal/service-virtual-ip", strings.NewReader(body))
		assert.Equal(t, want, fmt.Sprint(status, " ", text), body)
	}
}

func TestAServicesVirtualAddressIsShown(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	register(t, c, `{"Node":"a","Address":"10.0.0.1","Service":{"Service":"web","Port":80,"Connect":{"Native":true},"TaggedAddresses":{"wan":{"Address":"1.1.1.1","Port":2}}}}`)
	rows := get[[]*api.ServiceEntry](t, c, "/v1/health/connect/web")
	require.Len(t, rows, 1)
	assert.Equal(t, map[string]api.ServiceAddress{
		"consul-virtual": {Address: "240.0.0.1", Port: 80}, "wan": {Address: "1.1.1.1", Port: 2},
	}, rows[0].Service.TaggedAddresses)
}

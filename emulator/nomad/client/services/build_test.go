package services

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// everything is a service that has all there is for Consul.
func everything() *api.Service {
	common := api.ServiceCheck{Interval: 2 * time.Second, Timeout: time.Second}
	http, tcp, grpc, https, script := common, common, common, common, common
	http.Type, http.Path, http.Method, http.Body = "http", "/index.html", "POST", "bb"
	http.Header = map[string][]string{"X-A": {"1", "2"}}
	http.SuccessBeforePassing, http.FailuresBeforeCritical, http.FailuresBeforeWarning = 2, 2, 1
	http.InitialStatus = "warning"
	tcp.Name, tcp.Type, tcp.PortLabel = "tc", "tcp", "other"
	grpc.Name, grpc.Type, grpc.GRPCService, grpc.GRPCUseTLS = "gc", "grpc", "foo", true
	grpc.TLSSkipVerify, grpc.TLSServerName = true, "abc"
	https.Name, https.Type, https.Protocol, https.Path, https.TLSSkipVerify = "https", "http", "https", "/x?y=1", true
	script.Name, script.Type, script.TaskName, script.Command, script.Args = "sc", "script", "t", "/bin/sh", []string{"-c", "exit 1"}
	return &api.Service{
		Name: "grp-${NOMAD_ALLOC_INDEX}", PortLabel: "http", Tags: []string{"a", "${NOMAD_TASK_NAME}x", "b-${NOMAD_GROUP_NAME}"},
		CanaryTags: []string{"canary"}, Meta: map[string]string{"k": "v-${NOMAD_JOB_NAME}"}, CanaryMeta: map[string]string{"c": "d"},
		TaggedAddresses: map[string]string{"lan": "10.0.0.1", "wan": "1.2.3.4:99"}, Weights: &api.ServiceWeights{Passing: 5, Warning: 2},
		EnableTagOverride: true, Checks: []api.ServiceCheck{http, tcp, grpc, https, script},
	}
}

// TestConsulRegistration compares with what a real Nomad sends for the same job.
func TestConsulRegistration(t *testing.T) {
	t.Parallel()
	a := &allocation{of: newAllocation([]*api.Service{everything()}, nil)}
	built := a.build(scope{})
	require.Len(t, built, 1)
	r := consulService(built[0])
	for _, c := range r.Checks {
		assert.Regexp(t, "^_nomad-check-[0-9a-f]{40}$", c.CheckID)
		c.CheckID = ""
	}
	text, err := json.Marshal(r)
	require.NoError(t, err)
	assert.JSONEq(t, `{"ID":"_nomad-task-e3b536cf-5e00-14ea-1a39-d25b82852308-group-g-grp-0-http","Name":"grp-0",
		"Tags":["a","${NOMAD_TASK_NAME}x","b-g"],"Port":22086,"Address":"127.0.0.1",
		"TaggedAddresses":{"lan":{"Address":"10.0.0.1","Port":22086},"wan":{"Address":"1.2.3.4","Port":99}},
		"EnableTagOverride":true,"Meta":{"external-source":"nomad","k":"v-svc"},"Weights":{"Passing":5,"Warning":2},"Check":null,
		"Checks":[
		{"Name":"service: \"grp-0\" check","Interval":"2s","Timeout":"1s","HTTP":"http://127.0.0.1:22086/index.html",
		 "Header":{"X-A":["1","2"]},"Method":"POST","Body":"bb","Status":"warning","SuccessBeforePassing":2,"FailuresBeforeWarning":1,"FailuresBeforeCritical":2},
		{"Name":"tc","Interval":"2s","Timeout":"1s","TCP":"127.0.0.1:28956"},
		{"Name":"gc","Interval":"2s","Timeout":"1s","TLSServerName":"abc","TLSSkipVerify":true,"GRPC":"127.0.0.1:22086/foo","GRPCUseTLS":true},
		{"Name":"https","Interval":"2s","Timeout":"1s","HTTP":"https://127.0.0.1:22086/x?y=1","TLSSkipVerify":true},
		{"Name":"sc","Timeout":"1s","TTL":"33s"}]}`, string(text))
	assert.Equal(t, []string{"/bin/sh", "-c", "exit 1"}, built[0].checks[4].command)
}

func TestCanariesHaveTheirOwnTagsAndMeta(t *testing.T) {
	t.Parallel()
	alloc := newAllocation([]*api.Service{everything(), {Name: "plain", Tags: []string{"x"}}}, nil)
	a := &allocation{of: alloc}
	alloc.change(func(a *api.Allocation) { a.DeploymentStatus = &api.AllocDeploymentStatus{Canary: true} })
	built := a.build(scope{})
	assert.Equal(t, []string{"canary"}, built[0].tags)
	assert.Equal(t, map[string]string{"c": "d"}, built[0].meta)
	assert.Equal(t, []string{"x"}, built[1].tags, "it has none of its own")
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	own := &driver.Network{IP: "172.17.0.2", PortMap: map[string]int{"http": 80}}
	advertised := &driver.Network{IP: "172.17.0.2", PortMap: map[string]int{"http": 80}, AutoAdvertise: true}
	for _, c := range []struct {
		mode, label string
		network     *driver.Network
		inside      string
		want        endpoint
	}{
		{"auto", "", nil, "", endpoint{}},
		{"auto", "http", nil, "", endpoint{"127.0.0.1", 22086}},
		{"auto", "http", own, "", endpoint{"127.0.0.1", 22086}},
		{"auto", "http", advertised, "", endpoint{"172.17.0.2", 80}},
		{"auto", "", advertised, "", endpoint{"172.17.0.2", 0}},
		{"host", "other", advertised, "", endpoint{"127.0.0.1", 28956}},
		{"host", "8080", nil, "", endpoint{"127.0.0.1", 8080}},
		{"driver", "http", own, "", endpoint{"172.17.0.2", 80}},
		{"driver", "9090", own, "", endpoint{"172.17.0.2", 9090}},
		{"driver", "other", own, "", endpoint{"172.17.0.2", 99}},
		{"driver", "http", nil, "", endpoint{"127.0.0.1", 22086}},
		{"alloc", "other", nil, "10.1.1.1", endpoint{"10.1.1.1", 99}},
		{"alloc", "http", nil, "10.1.1.1", endpoint{"10.1.1.1", 22086}},
		{"alloc", "7000", nil, "10.1.1.1", endpoint{"10.1.1.1", 7000}},
		{"alloc", "http", nil, "", endpoint{"127.0.0.1", 22086}},
	} {
		alloc := newAllocation(nil, nil)
		if c.inside != "" {
			alloc.alloc.NetworkStatus = &api.AllocNetworkStatus{Address: c.inside}
		}
		got := placesOf(alloc.Allocation(), alloc.Node(), c.network).find(c.mode, c.label)
		assert.Equal(t, c.want, got, "%s %q", c.mode, c.label)
	}
}

func TestAddressOfAServiceAndItsChecks(t *testing.T) {
	t.Parallel()
	check := []api.ServiceCheck{{Type: "tcp"}, {Type: "tcp", PortLabel: "other"}}
	alloc := newAllocation(nil, []*api.Service{
		{Name: "${NOMAD_TASK_NAME}-named", Address: "9.9.9.9", PortLabel: "http", Checks: check},
		{Name: "inside", AddressMode: "driver", PortLabel: "80", Checks: check},
		{Name: "nowhere"},
	})
	alloc.tasks[0].network = &driver.Network{IP: "172.17.0.2"}
	a := &allocation{of: alloc}
	named := a.build(scope{task: alloc.tasks[0]})
	assert.Equal(t, "_nomad-task-"+testAllocation+"-t-t-named-http", named[0].id)
	assert.Equal(t, endpoint{"9.9.9.9", 22086}, endpoint{named[0].address, named[0].port})
	assert.Equal(t, "127.0.0.1:22086", named[0].checks[0].endpoint.String(), "the machine's, whatever the service says")
	assert.Equal(t, endpoint{"172.17.0.2", 80}, endpoint{named[1].address, named[1].port})
	assert.Equal(t, "172.17.0.2:80", named[1].checks[0].endpoint.String())
	assert.Equal(t, "127.0.0.1:28956", named[1].checks[1].endpoint.String())
	assert.Equal(t, "_nomad-task-"+testAllocation+"-t-nowhere-", named[2].id)
	assert.Equal(t, endpoint{}, endpoint{named[2].address, named[2].port})
}

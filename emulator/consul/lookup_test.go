package consul

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// only allows reading what it lists, as resource:name.
type only []string

func (o only) Allows(access acl.Access, resource acl.Resource, name string) bool {
	for _, allowed := range o {
		if access == acl.Read && allowed == resource.String()+":"+name {
			return true
		}
	}
	return false
}

func (o only) AllowsAllBelow(acl.Access, string) bool { return false }

func TestWhatACallerSees(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		may      only
		see      func(sight) bool
		sees     bool
		filtered bool
	}{
		{only{"node:a", "service:web"}, func(s sight) bool { return s.instance(&state.Service{Node: "a", Service: "web"}) }, true, false},
		{only{"node:a"}, func(s sight) bool { return s.instance(&state.Service{Node: "a", Service: "web"}) }, false, true},
		{only{"service:web"}, func(s sight) bool { return s.instance(&state.Service{Node: "a", Service: "web"}) }, false, true},
		{only{"node:a"}, func(s sight) bool { return s.check(&state.Check{Node: "a"}) }, true, false},
		{only{"node:a"}, func(s sight) bool { return s.check(&state.Check{Node: "a", ServiceName: "web"}) }, false, true},
		{only{"node:a", "service:web"}, func(s sight) bool { return s.check(&state.Check{Node: "a", ServiceName: "web"}) }, true, false},
		{only{}, func(s sight) bool { return s.node("a") }, false, true},
		{only{"service:web"}, func(s sight) bool { return s.service("web") }, true, false},
	} {
		filtered := false
		s := sight{may: test.may, filtered: func() { filtered = true }}
		assert.Equal(t, test.sees, test.see(s), test.may)
		assert.Equal(t, test.filtered, filtered, test.may)
	}
}

func TestWhereARequestComesFrom(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ remote, forwarded, want string }{
		{"10.0.0.1:5000", "", "10.0.0.1"},
		{"[::1]:5000", "", "::1"},
		{"@", "", "@"},
		{"10.0.0.1:5000", "10.0.0.2, 10.0.0.3", "10.0.0.2"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = test.remote
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		assert.Equal(t, test.want, clientAddress(r), test)
	}
}

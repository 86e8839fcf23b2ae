package consul

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/filter"
	"github.com/drydock/drydock/emulator/members"
)

// pool is that of the datacenter or, with the parameter wan, that of all servers.
func (r *request) pool() *members.Pool {
	if r.query.Get("wan") != "" {
		return r.agent.dc.consul.servers
	}
	return r.agent.dc.members
}

func agentMembers(r *request) (any, error) {
	if segment := r.query.Get("segment"); segment != "" && segment != api.AllSegments {
		return nil, errText("Network segments are not supported in this version of Consul")
	}
	asked, err := filter.New[api.AgentMember](r.query.Get("filter"))
	if err != nil {
		return nil, err
	}
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	list := []api.AgentMember{}
	for _, m := range r.pool().List() {
		if sees.node(m.Name) && asked.Keeps(m) {
			list = append(list, m)
		}
	}
	return list, nil
}

func agentJoin(r *request) (any, error) {
	if err := r.need(acl.Write, acl.Agent, r.agent.options.Node); err != nil {
		return nil, err
	}
	address, port, own := r.PathValue("address"), serfPortLAN, r.agent.memberLAN()
	if r.query.Get("wan") != "" {
		port, own = serfPortWAN, r.agent.memberWAN()
	}
	if withPort(address, port) == net.JoinHostPort(own.Addr, strconv.Itoa(int(own.Port))) {
		return nil, nil // it is its own member
	}
	err := joinPool(r.Context(), r.pool(), withPort(address, port))
	var unknown *net.DNSError
	var refused *net.OpError
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &unknown):
		return nil, errText("%v", problems{fmt.Sprintf("Failed to resolve %s: %v", address, unknown)})
	case errors.As(err, &refused):
		return nil, errText("%v", problems{fmt.Sprintf("Failed to join %s: %v", address, refused)})
	default:
		return nil, errText("%v", problems{err.Error()})
	}
}

func agentForceLeave(r *request) (any, error) {
	if err := r.need(acl.Write, acl.Operator, ""); err != nil {
		return nil, err
	}
	name := r.PathValue("node")
	if err := r.pool().ForceLeave(name, r.has("prune")); err != nil {
		return nil, errText("%v", err)
	}
	return nil, nil
}

func memberRoutes() []route {
	const apart = "the members of other processes show; their catalogs are their own"
	return []route{
		faithful(http.MethodGet, "/v1/agent/members", agentMembers),
		partial(http.MethodPut, "/v1/agent/join/{address...}", agentJoin, apart),
		faithful(http.MethodPut, "/v1/agent/force-leave/{node...}", agentForceLeave),
		faithful(http.MethodPut, "/v1/agent/leave", agentLeave),
	}
}

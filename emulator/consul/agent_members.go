package consul

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/filter"
	"github.com/drydock/drydock/emulator/consul/members"
)

// joinWait bounds how long joining another process may take.
const joinWait = 10 * time.Second

// Ports that agents find each other on, unless they are told others.
const (
	serfPortLAN = 8301
	serfPortWAN = 8302
)

// memberLAN is what the agent is among those of its datacenter.
func (a *agent) memberLAN() api.AgentMember {
	tags := map[string]string{
		"build": Version + ":", "dc": a.dc.name, "id": a.options.ID, "role": "node", "segment": "", "vsn": "2", "vsn_max": "3", "vsn_min": "2",
	}
	if a.isServer() {
		for name, value := range map[string]string{
			"acls": "0", "ft_fs": "1", "ft_si": "1", "port": strconv.Itoa(a.options.ServerPort), "raft_vsn": "3", "role": "consul",
			"wan_join_port": strconv.Itoa(portOf(a.options.SerfWAN, serfPortWAN)),
		} {
			tags[name] = value
		}
		if a.dc.consul.options.ACL.Enabled {
			tags["acls"] = "1"
		}
	}
	return api.AgentMember{
		Name: a.options.Node, Addr: a.options.Address, Port: uint16(portOf(a.options.SerfLAN, serfPortLAN)), Tags: tags,
		Status: members.Alive, ProtocolMin: 1, ProtocolMax: 5, ProtocolCur: 2, DelegateMin: 2, DelegateMax: 5, DelegateCur: 4,
	}
}

// memberWAN is what a server is among those of all datacenters.
func (a *agent) memberWAN() api.AgentMember {
	m := a.memberLAN()
	m.Name += "." + a.dc.name
	m.Port = uint16(portOf(a.options.SerfWAN, serfPortWAN))
	delete(m.Tags, "wan_join_port")
	return m
}

// portOf is the port of an address; other when there is none.
func portOf(address string, other int) int {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return other
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return other
	}
	return port
}

// joinPools makes the agent a member, and lets other processes join.
func (a *agent) joinPools() error {
	a.dc.members.Add(a.memberLAN())
	if a.options.SerfLAN != "" {
		if _, err := a.dc.members.Listen(a.options.SerfLAN); err != nil {
			return err
		}
	}
	if !a.isServer() {
		return nil
	}
	a.dc.consul.servers.Add(a.memberWAN())
	if a.options.SerfWAN != "" {
		if _, err := a.dc.consul.servers.Listen(a.options.SerfWAN); err != nil {
			return err
		}
	}
	return nil
}

// keepJoining joins those that the agent is told to, each until it is there.
func (a *agent) keepJoining(ctx context.Context) {
	const again = 30 * time.Second
	type target struct {
		pool    *members.Pool
		address string
	}
	var waiting []target
	for _, address := range a.options.RetryJoin {
		waiting = append(waiting, target{a.dc.members, withPort(address, serfPortLAN)})
	}
	for _, address := range a.options.RetryJoinWAN {
		waiting = append(waiting, target{a.dc.consul.servers, withPort(address, serfPortWAN)})
	}
	attempt := func() bool {
		var failed []target
		for _, t := range waiting {
			if err := joinPool(ctx, t.pool, t.address); err != nil {
				a.log.Warn("Join failed, will retry", "retry_interval", again, "error", err)
				failed = append(failed, t)
			}
		}
		waiting = failed
		return len(waiting) > 0
	}
	if attempt() {
		every(ctx, again, attempt)
	}
}

func joinPool(ctx context.Context, pool *members.Pool, address string) error {
	ctx, cancel := context.WithTimeout(ctx, joinWait)
	defer cancel()
	return pool.Join(ctx, address)
}

func withPort(address string, port int) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(address, strconv.Itoa(port))
}

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
		if sees.may.Allows(acl.Read, acl.Node, m.Name) && asked.Keeps(m) {
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
		{http.MethodGet, "/v1/agent/members", agentMembers, faithful, ""},
		{http.MethodPut, "/v1/agent/join/{address}", agentJoin, partial, apart},
		{http.MethodPut, "/v1/agent/force-leave/{node}", agentForceLeave, faithful, ""},
		{http.MethodPut, "/v1/agent/leave", agentLeave, faithful, ""},
	}
}

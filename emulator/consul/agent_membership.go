package consul

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/members"
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

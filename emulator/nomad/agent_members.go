package nomad

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	consul "github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/members"
	"github.com/drydock/drydock/emulator/nomad/acl"
)

const (
	// joinWait bounds how long joining another process may take.
	joinWait = 10 * time.Second
	// joinAgain is the pause before one that did not answer is joined again.
	joinAgain = 30 * time.Second
	// serfPort is the one that servers find each other on, unless they are told another.
	serfPort = 4648
)

// agentMember is a server, as the API tells of it.
type agentMember struct {
	Name        string
	Addr        string
	Port        uint16
	Tags        map[string]string
	Status      string
	ProtocolMin uint8
	ProtocolMax uint8
	ProtocolCur uint8
	DelegateMin uint8
	DelegateMax uint8
	DelegateCur uint8
}

// serverName is the one that the region's server is known by among all servers.
func (r *region) serverName() string { return r.options.Server + "." + r.options.Name }

// poolMember is the region's server, as those of other processes know it.
func (r *region) poolMember() consul.AgentMember {
	return consul.AgentMember{
		Name: r.serverName(), Addr: "127.0.0.1", Port: uint16(r.options.SerfPort),
		ProtocolMin: 1, ProtocolMax: 5, ProtocolCur: 2, DelegateMin: 2, DelegateMax: 5, DelegateCur: 4,
		Tags: map[string]string{
			"bootstrap": "1", "build": Version, "dc": r.options.Datacenter, "expect": "1", "id": r.id,
			"port": strconv.Itoa(r.options.RPCPort), "raft_vsn": "3", "region": r.options.Name, "revision": "",
			"role": "nomad", "rpc_addr": "127.0.0.1", "vsn": "1",
		},
	}
}

func (r *region) member() agentMember {
	for _, m := range r.nomad.members.List() {
		if m.Name == r.serverName() {
			return memberOf(m)
		}
	}
	return memberOf(r.poolMember())
}

func memberOf(m consul.AgentMember) agentMember {
	status := map[int]string{members.Alive: "alive", members.Leaving: "leaving", members.Left: "left", members.Failed: "failed"}[m.Status]
	return agentMember{
		Name: m.Name, Addr: m.Addr, Port: m.Port, Tags: m.Tags, Status: status, ProtocolMin: m.ProtocolMin,
		ProtocolMax: m.ProtocolMax, ProtocolCur: m.ProtocolCur, DelegateMin: m.DelegateMin,
		DelegateMax: m.DelegateMax, DelegateCur: m.DelegateCur,
	}
}

func (r *request) agentMembers() (any, error) {
	if err := r.need(acl.Read, acl.Node); err != nil {
		return nil, err
	}
	// The one that answers comes first: clients take what follows for the others.
	list := []agentMember{r.asked.member()}
	for _, m := range r.asked.nomad.members.List() {
		if m.Name != r.asked.serverName() {
			list = append(list, memberOf(m))
		}
	}
	return map[string]any{
		"ServerName": r.asked.options.Server, "ServerRegion": r.asked.options.Name, "ServerDC": r.asked.options.Datacenter, "Members": list,
	}, nil
}

// joinAnswer says how many servers were joined, and what went wrong.
type joinAnswer struct {
	Joined int    `json:"num_joined"`
	Error  string `json:"error"`
}

func (r *request) agentJoin() (any, error) {
	if err := r.need(acl.Write, acl.Agent); err != nil {
		return nil, err
	}
	addresses := r.query["address"]
	if len(addresses) == 0 {
		return nil, badRequest("missing address to join")
	}
	var answer joinAnswer
	var failures []string
	for _, address := range addresses {
		err := r.asked.nomad.join(r.Context(), address)
		var refused *net.OpError
		switch {
		case err == nil:
			answer.Joined++
		case errors.As(err, &refused):
			failures = append(failures, fmt.Sprintf("failed to join %s: %v", address, refused))
		default:
			failures = append(failures, fmt.Sprintf("failed to join %s: %v", address, err))
		}
	}
	if len(failures) > 0 && answer.Joined == 0 {
		answer.Error = errorList(failures)
	}
	return answer, nil
}

// errorList writes several errors as Nomad does.
func errorList(list []string) string {
	heading := fmt.Sprintf("%d errors occurred:", len(list))
	if len(list) == 1 {
		heading = "1 error occurred:"
	}
	return heading + "\n\t* " + strings.Join(list, "\n\t* ") + "\n\n"
}

func (r *request) agentForceLeave() (any, error) {
	if err := r.need(acl.Write, acl.Agent); err != nil {
		return nil, err
	}
	name := r.query.Get("node")
	if name == "" {
		return nil, badRequest("missing node to force leave")
	}
	// One that nobody knows has left, whoever it was.
	_ = r.asked.nomad.members.ForceLeave(name, r.has("prune"))
	return nil, nil
}

// join joins the servers of another process, which is reached at its Serf address.
func (n *Nomad) join(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, joinWait)
	defer cancel()
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(address, strconv.Itoa(serfPort))
	}
	return n.members.Join(ctx, address)
}

// keepJoining joins those that the region's server is told to, each until it is there.
func (r *region) keepJoining(ctx context.Context) {
	waiting := r.options.RetryJoin
	for len(waiting) > 0 {
		waiting = slices.DeleteFunc(slices.Clone(waiting), func(address string) bool {
			err := r.nomad.join(ctx, address)
			if err != nil {
				r.nomad.log.Warn("join failed, will retry", "address", address, "error", err)
			}
			return err == nil
		})
		if len(waiting) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(joinAgain):
		}
	}
}

// regionNames are those of all regions, also of those that other processes have, sorted.
func (n *Nomad) regionNames() []string {
	var names []string
	for _, m := range n.members.List() {
		if m.Status == members.Alive {
			names = append(names, m.Tags["region"])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

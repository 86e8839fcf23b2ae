package consul

import (
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
)

func raftConfiguration(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Operator, ""); err != nil {
		return nil, err
	}
	server := r.dc.server()
	return api.RaftConfiguration{Servers: []*api.RaftServer{{
		ID:              server.ID,
		Node:            server.Node,
		Address:         r.dc.leader(),
		Leader:          true,
		ProtocolVersion: "3",
		Voter:           true,
		LastIndex:       r.dc.store.View().LastIndex(),
	}}}, nil
}

// server is the datacenter's one server.
func (d *datacenter) server() Agent { return d.agents[0].options }

// removeRaftPeer refuses to remove a server: there is only the one, and a
// datacenter needs one.
func removeRaftPeer(r *request) (any, error) {
	if err := r.need(acl.Write, acl.Operator, ""); err != nil {
		return nil, err
	}
	id, address := r.query.Get("id"), r.query.Get("address")
	switch {
	case id == "" && address == "":
		return nil, badRequest("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove")
	case id != "" && address != "":
		return nil, badRequest("Must specify only one of ?id or ?address")
	case id != "" && id != r.dc.server().ID:
		return nil, errText("id %q was not found in the Raft configuration", id)
	case address != "" && address != r.dc.leader():
		return nil, errText("address %q was not found in the Raft configuration", address)
	default:
		return nil, errText("need at least one voter in configuration: {[]}")
	}
}

// transferLeader refuses to let another server lead: there is none.
func transferLeader(r *request) (any, error) {
	if err := r.need(acl.Write, acl.Operator, ""); err != nil {
		return nil, err
	}
	switch id := r.query.Get("id"); id {
	case "":
		return nil, errText("cannot find peer")
	case r.dc.server().ID:
		return nil, errText("cannot transfer leadership to itself")
	default:
		return nil, errText("Could not find address for server id %s", id)
	}
}

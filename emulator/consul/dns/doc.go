// Package dns is the DNS interface of a Consul agent: it answers names under "consul." and reverse lookups, over UDP and TCP
// on one port, and refuses all others, as an agent without recursors does.
//
//	[<tag>.]<service>.service[.<datacenter>[.dc]].consul    A, AAAA, SRV, ANY
//	_<service>._<tag or tcp>[.service][.<datacenter>].consul SRV
//	<service>.connect, <service>.ingress, <service>.virtual
//	<node>.node, <query>.query, <hex>.addr, and in-addr.arpa and ip6.arpa for PTR
//
// The emulated agent is its caller: it implements Source over its state, starts a Server, and closes it. The package knows no
// storage and no health: the source gives only instances that are to be found.
package dns

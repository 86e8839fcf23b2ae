package consul

import "github.com/drydock/drydock/emulator/consul/state"

func connectRoutes() []route { return nil }

// trustDomain is the domain of all identities that the certificate authority gives out.
func (d *datacenter) trustDomain(*state.View) string { return "consul" }

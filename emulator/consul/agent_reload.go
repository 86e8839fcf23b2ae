package consul

import "github.com/drydock/drydock/emulator/consul/state"

// Reload reads the definitions of every agent again, and brings what they have
// by them up to date. An agent whose definitions are wrong keeps what it has.
func (c *Consul) Reload() error {
	for _, d := range c.datacenters {
		for _, a := range d.agents {
			if err := a.reload(); err != nil {
				return err
			}
		}
	}
	return nil
}

// reload registers what the agent's configuration defines, and removes what it
// does not define any more.
func (a *agent) reload() error {
	if a.options.Definitions == nil {
		return nil
	}
	defined, err := a.options.Definitions()
	if err != nil {
		return err
	}
	services, list := map[string]bool{}, map[string]bool{}
	for _, d := range defined.Services {
		if err := a.checkService(d, true); err != nil {
			return errText("Failed to register service %q: %v", d.Name, err)
		}
		s := a.instance(d)
		services[s.ID] = true
		for _, c := range a.checksOf(d.allChecks(), &s) {
			list[c.CheckID] = true
		}
	}
	for _, d := range defined.Checks {
		if err := a.checkCheck(d, true); err != nil {
			return errText("Failed to register check %q: %v", d.Name, err)
		}
		list[a.checkOf(d, true).CheckID] = true
	}
	err = a.remove(func(tx *state.Tx) error {
		tx.RemoveConfigured(a.options.Node, services, list)
		return nil
	})
	if err != nil {
		return err
	}
	return a.define(defined)
}

func (a *agent) define(defined Definitions) error {
	for _, d := range defined.Services {
		if err := a.register(d, false, true); err != nil {
			return errText("Failed to register service %q: %v", d.Name, err)
		}
	}
	for _, d := range defined.Checks {
		if err := a.registerCheck(d, true); err != nil {
			return errText("Failed to register check %q: %v", d.Name, err)
		}
	}
	return nil
}

package consul

import (
	"github.com/drydock/drydock/emulator/consul/state"
)

// resolveLinks finds what links lead to, by ID or by name, and drops those that
// come again.
func resolveLinks(links []state.Link, find func(state.Link) (state.Link, error)) ([]state.Link, error) {
	var list []state.Link
	for _, link := range links {
		found, err := find(link)
		if err != nil {
			return nil, err
		}
		if !state.Linked(list, found.ID) {
			list = append(list, found)
		}
	}
	return list, nil
}

// tokenPolicy finds the policy that a token links to.
func tokenPolicy(view *state.View) func(state.Link) (state.Link, error) {
	return func(link state.Link) (state.Link, error) {
		if link.ID == "" {
			return policyByName(view, link.Name)
		}
		if err := checkLookup("policy", link.ID); err != nil {
			return link, errText("Error looking up policy for ID: %q: %v", link.ID, err)
		}
		if p := view.Policy(link.ID); p != nil {
			return state.Link{ID: p.ID, Name: p.Name}, nil
		}
		return link, errText("No such ACL policy with ID %q", link.ID)
	}
}

// rolePolicy finds the policy that a role links to.
func rolePolicy(view *state.View) func(state.Link) (state.Link, error) {
	return func(link state.Link) (state.Link, error) {
		if link.ID == "" {
			return policyByName(view, link.Name)
		}
		if err := checkLookup("policy", link.ID); err != nil {
			return link, errText("Failed to apply role upsert request: %v", err)
		}
		if p := view.Policy(link.ID); p != nil {
			return state.Link{ID: p.ID, Name: p.Name}, nil
		}
		return link, errText("Failed to apply role upsert request: No such policy with ID: %s", link.ID)
	}
}

func policyByName(view *state.View, name string) (state.Link, error) {
	if p := view.PolicyNamed(name); p != nil {
		return state.Link{ID: p.ID, Name: p.Name}, nil
	}
	return state.Link{}, errText("No such ACL policy with name %q", name)
}

// tokenRole finds the role that a token links to.
func tokenRole(view *state.View) func(state.Link) (state.Link, error) {
	return func(link state.Link) (state.Link, error) {
		role := view.RoleNamed(link.Name)
		if link.ID != "" {
			if err := checkLookup("role", link.ID); err != nil {
				return link, errText("Error looking up role for ID: %q: %v", link.ID, err)
			}
			role = view.Role(link.ID)
		}
		switch {
		case role != nil:
			return state.Link{ID: role.ID, Name: role.Name}, nil
		case link.ID != "":
			return link, errText("No such ACL role with ID %q", link.ID)
		default:
			return link, errText("No such ACL role with name %q", link.Name)
		}
	}
}

package consul

import (
	"net/http"
	"strings"

	"github.com/drydock/drydock/emulator/consul/acl"
)

func authorizeRoutes() []route {
	return []route{
		faithful(http.MethodPost, "/v1/internal/acl/authorize", authorizeAll),
	}
}

// authorization is a question of what the caller may do; in the answer it has Allow too.
type authorization struct {
	Resource string
	Segment  string `json:",omitempty"`
	Access   string
}

// authorizeAll answers what the caller may do, one answer for each question.
func authorizeAll(r *request) (any, error) {
	const most = 64
	var questions []authorization
	if err := r.decodeKnown(&questions, "Failed to decode request body"); err != nil {
		return nil, err
	}
	if len(questions) > most {
		return nil, badRequest("Refusing to process more than %d authorizations at once", most)
	}
	type answered struct {
		authorization
		Allow bool
	}
	answers := []answered{}
	if len(questions) == 0 {
		return answers, nil
	}
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	for _, q := range questions {
		allow, err := q.ask(c.may)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answered{q, allow})
	}
	return answers, nil
}

func (q authorization) ask(may *acl.Authorizer) (bool, error) {
	resource, ok := resourceNamed(q.Resource)
	if !ok {
		return false, badRequest("Invalid ACL resource requested: %q", q.Resource)
	}
	switch access := strings.ToLower(q.Access); {
	case access == "read":
		return may.Allows(acl.Read, resource, q.Segment), nil
	case access == "write":
		return may.Allows(acl.Write, resource, q.Segment), nil
	case access == "list" && resource == acl.Key:
		return may.Allows(acl.List, resource, q.Segment), nil
	case access == "write-prefix" && resource == acl.Key:
		return may.AllowsAllBelow(acl.Write, q.Segment), nil
	default:
		return false, badRequest("Invalid access level for %s resource: %s", q.Resource, q.Access)
	}
}

// resourceNamed finds the resource of a name.
func resourceNamed(name string) (acl.Resource, bool) {
	for _, resource := range []acl.Resource{
		acl.ACL, acl.Agent, acl.Event, acl.Intention, acl.Key, acl.Keyring, acl.Mesh, acl.Node,
		acl.Operator, acl.Peering, acl.Query, acl.Service, acl.Session,
	} {
		if resource.String() == name {
			return resource, true
		}
	}
	return 0, false
}

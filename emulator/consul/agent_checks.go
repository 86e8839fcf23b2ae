package consul

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/checks"
	"github.com/drydock/drydock/emulator/consul/filter"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func agentCheckRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/agent/checks", agentChecks),
		partial(http.MethodPut, "/v1/agent/check/register", registerCheck, "checks of operating system services"),
		faithful(http.MethodPut, "/v1/agent/check/deregister/{check...}", deregisterCheck),
		faithful(http.MethodPut, "/v1/agent/check/pass/{check...}", tellCheck(api.HealthPassing)),
		faithful(http.MethodPut, "/v1/agent/check/warn/{check...}", tellCheck(api.HealthWarning)),
		faithful(http.MethodPut, "/v1/agent/check/fail/{check...}", tellCheck(api.HealthCritical)),
		faithful(http.MethodPut, "/v1/agent/check/update/{check...}", updateCheck),
	}
}

func agentChecks(r *request) (any, error) {
	if err := r.communityOnly(); err != nil {
		return nil, err
	}
	asked, err := filter.New[*state.Check](r.query.Get("filter"))
	if err != nil {
		return nil, err
	}
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	view := r.agent.dc.store.View()
	list := map[string]*state.Check{}
	for c := range store.All[state.LocalCheck](view, state.TableLocalChecks, "node", r.agent.options.Node) {
		answer := checkAnswer(view, c)
		visible := sees.node(c.Node)
		if answer.ServiceName != "" {
			visible = sees.service(answer.ServiceName)
		}
		if visible && asked.Keeps(answer) {
			list[c.CheckID] = answer
		}
	}
	return list, nil
}

// checkAnswer is a check as the agent tells it, with what it has of its service.
func checkAnswer(view *state.View, c *state.LocalCheck) *state.Check {
	answer := c.Check
	answer.ServiceTags = []string{}
	if c.ServiceID != "" {
		if s := view.LocalService(c.Node, c.ServiceID); s != nil {
			answer.ServiceName, answer.ServiceTags = s.Service.Service, s.Tags
		}
	}
	return &answer
}

func registerCheck(r *request) (any, error) {
	type Alias CheckDefinition // the name that errors about the body have
	var d CheckDefinition
	if err := r.decodeDefinition(&struct{ *Alias }{(*Alias)(&d)}); err != nil {
		return nil, err
	}
	switch {
	case d.CheckID != "":
		return nil, badRequest(`Request decode failed: json: unknown field "CheckID"`)
	case d.Name == "":
		return nil, badRequest("Missing check name")
	case d.Status != "" && !isStatus(d.Status):
		return nil, badRequest("Bad check status")
	}
	if err := r.agent.checkCheck(d, false); err != nil {
		return nil, err
	}
	if err := r.mayChangeCheck(d.ServiceID); err != nil {
		return nil, err
	}
	return nil, r.agent.registerCheck(d, false)
}

// mayChangeCheck needs the permission for the service of a check or, of the
// node's own, for the node.
func (r *request) mayChangeCheck(service string) error {
	if service == "" {
		return r.need(acl.Write, acl.Node, r.agent.options.Node)
	}
	name := service
	if s := r.agent.dc.store.View().LocalService(r.agent.options.Node, service); s != nil {
		name = s.Service.Service
	}
	return r.need(acl.Write, acl.Service, name)
}

// checked is the check that the path names, which the caller may change.
func (r *request) checked() (*state.LocalCheck, error) {
	id := r.PathValue("check")
	c := r.agent.dc.store.View().LocalCheck(r.agent.options.Node, id)
	if c == nil {
		if _, err := r.identify(); err != nil {
			return nil, err
		}
		return nil, notFound("Unknown check ID %q. Ensure that the check ID is passed, not the check name.", id)
	}
	return c, r.mayChangeCheck(c.ServiceID)
}

func deregisterCheck(r *request) (any, error) {
	c, err := r.checked()
	if err != nil {
		return nil, err
	}
	return nil, r.agent.remove(func(tx *state.Tx) error {
		tx.DeleteLocalCheck(c.Node, c.CheckID)
		return nil
	})
}

// tellCheck gives a TTL check a status, with the parameter note as its output.
func tellCheck(status string) func(*request) (any, error) {
	return func(r *request) (any, error) { return nil, r.tell(status, r.query.Get("note")) }
}

func updateCheck(r *request) (any, error) {
	var update struct{ Status, Output string }
	if err := r.decodeStrictly(&update); err != nil {
		return nil, err
	}
	if !isStatus(update.Status) {
		return nil, badRequest("Invalid check status: '%s'", update.Status)
	}
	return nil, r.tell(update.Status, update.Output)
}

func (r *request) tell(status, output string) error {
	c, err := r.checked()
	if err != nil {
		return err
	}
	runner := r.agent.runner(c.CheckID)
	if runner == nil {
		return errText("CheckID %q does not have associated TTL", c.CheckID)
	}
	if err := runner.Update(status, output); errors.Is(err, checks.ErrNotTTL) {
		return errText("CheckID %q does not have associated TTL", c.CheckID)
	} else if err != nil {
		return fmt.Errorf("update check %s: %w", c.CheckID, err)
	}
	return nil
}

package nomad

import (
	"net/http"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

// jobAction is a command that a task of a job has ready.
type jobAction struct {
	Name          string
	Command       string
	Args          []string
	TaskGroupName string
	TaskName      string
}

func (r *request) jobActions() (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	if err := r.needIn(namespace, acl.ReadJob); err != nil {
		return nil, err
	}
	job := r.region.store.View().Job(namespace, id)
	if job == nil {
		return nil, fail(http.StatusInternalServerError, "Unknown job %q", id)
	}
	list := []jobAction{}
	for _, group := range job.TaskGroups {
		for _, task := range group.Tasks {
			for _, action := range task.Actions {
				list = append(list, jobAction{action.Name, action.Command, action.Args, *group.Name, task.Name})
			}
		}
	}
	r.setIndex(0)
	return list, nil
}

// runAction runs an action of a task within one of the job's allocations, as if
// the client had named its command, which it has to be allowed.
func (r *request) runAction() (any, error) {
	r.SetPathValue("job", r.PathValue("id"))
	r.SetPathValue("id", r.query.Get("allocID")) // of what commands are run in
	return r.overWebsocket(func(c *conversation) (int, error) {
		action, err := r.action()
		if err != nil {
			return 0, err
		}
		return r.converse(c, append([]string{action.Command}, action.Args...))
	}), nil
}

// action is the one that the request names.
func (r *request) action() (*api.Action, error) {
	id, group, task, name := r.PathValue("job"), r.query.Get("group"), r.query.Get("task"), r.query.Get("action")
	job := r.region.store.View().Job(r.namespace(), id)
	if job == nil {
		return nil, notFound("Unknown job %q", id)
	}
	g := job.LookupTaskGroup(group)
	if g == nil {
		return nil, notFound("group %s not found", group)
	}
	for _, t := range g.Tasks {
		for _, action := range t.Actions {
			if t.Name == task && action.Name == name {
				return action, nil
			}
		}
	}
	return nil, notFound("action %s not found in task %s", name, task)
}

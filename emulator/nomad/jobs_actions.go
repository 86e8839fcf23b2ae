package nomad

import (
	"encoding/json"
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
	action, err := r.action()
	if err != nil {
		return nil, err
	}
	command, err := json.Marshal(append([]string{action.Command}, action.Args...))
	if err != nil {
		return nil, err
	}
	r.query.Set("command", string(command))
	r.SetPathValue("id", r.query.Get("allocID"))
	return r.execAllocation()
}

// action is the one that the request names.
func (r *request) action() (*api.Action, error) {
	id, group, name := r.PathValue("id"), r.query.Get("group"), r.query.Get("action")
	job := r.region.store.View().Job(r.namespace(), id)
	if job == nil {
		return nil, fail(http.StatusInternalServerError, "Unknown job %q", id)
	}
	for _, g := range job.TaskGroups {
		if group != "" && *g.Name != group {
			continue
		}
		for _, task := range g.Tasks {
			if task.Name != r.query.Get("task") {
				continue
			}
			for _, action := range task.Actions {
				if action.Name == name {
					return action, nil
				}
			}
		}
	}
	return nil, notFound("action %s not found", name)
}

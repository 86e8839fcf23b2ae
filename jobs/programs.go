package jobs

import (
	"slices"
	"strings"
)

// Programs are the names of the programs that the job's tasks with a driver,
// raw_exec or exec, find on the PATH of a client, each once and in order.
func (j Job) Programs(driver string) []string {
	var names []string
	for _, group := range j.TaskGroups {
		for _, task := range group.Tasks {
			command, ok := task.Config["command"].(string)
			if ok && task.Driver == driver && !strings.ContainsAny(command, "/$") {
				names = append(names, command)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

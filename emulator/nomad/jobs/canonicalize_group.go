package jobs

import "github.com/hashicorp/nomad/api"

// Keys of the target of a scaling policy.
const (
	TargetNamespace = "Namespace"
	TargetJob       = "Job"
	TargetGroup     = "Group"
)

func canonicalizeGroup(job *api.Job, group *api.TaskGroup) {
	// What disconnect blocks replace is accepted, and ignored.
	//lint:ignore SA1019 clients may still send them
	group.StopAfterClientDisconnect, group.MaxClientDisconnect, group.PreventRescheduleOnLost = nil, nil, new(false)
	group.MaxRunDuration = nil // this version does not have it
	if d := group.Disconnect; d != nil && d.LostAfter == nil {
		d.LostAfter = new(zeroDuration)
	}
	canonicalizeNetworks(group.Networks)
	if group.Scaling != nil {
		canonicalizeScaling(job, group)
	}
	for _, task := range group.Tasks {
		canonicalizeTask(job, group, task)
	}
	for _, service := range group.Services {
		canonicalizeService(service, naming{job: *job.Name, group: *group.Name, task: *group.Name})
	}
	for _, service := range group.Services {
		if connectsNatively(service) {
			claimNative(group, service)
		}
	}
}

func canonicalizeNetworks(networks []*api.NetworkResource) {
	for _, network := range networks {
		for _, ports := range [][]api.Port{network.ReservedPorts, network.DynamicPorts} {
			for i := range ports {
				if ports[i].HostNetwork == "" {
					ports[i].HostNetwork = defaultHostNetwork
				}
			}
		}
	}
}

// canonicalizeScaling says what the policy scales. The rest of what is not the
// client's is set when the job is written.
func canonicalizeScaling(job *api.Job, group *api.TaskGroup) {
	policy := group.Scaling
	policy.ID, policy.Namespace, policy.CreateIndex, policy.ModifyIndex = "", "", 0, 0
	policy.Target = map[string]string{
		TargetNamespace: *job.Namespace, TargetJob: *job.ID, TargetGroup: *group.Name,
	}
}

func connectsNatively(service *api.Service) bool {
	return inConsul(service) && service.Connect != nil && service.Connect.Native && service.Connect.SidecarService == nil
}

// claimNative marks the task that a service natively connects to the mesh, which
// need not be named where there is one only.
func claimNative(group *api.TaskGroup, service *api.Service) {
	if service.TaskName == "" && len(group.Tasks) == 1 {
		service.TaskName = group.Tasks[0].Name
	}
	for _, task := range group.Tasks {
		if task.Name == service.TaskName {
			task.Kind = kindConnectNative + service.Name
		}
	}
}

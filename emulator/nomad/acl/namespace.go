package acl

import "slices"

// namespaceCapabilities are all that a rule of a namespace may have.
func namespaceCapabilities() []Capability {
	return []Capability{
		deny, ListJobs, ParseJob, ReadJob, SubmitJob, DispatchJob, ReadLogs, ReadFS, AllocExec, AllocNodeExec,
		AllocLifecycle, CSIRegisterPlugin, CSIWriteVolume, CSIReadVolume, CSIListVolume, CSIMountVolume,
		HostVolumeCreate, HostVolumeRegister, HostVolumeRead, HostVolumeWrite, HostVolumeDelete,
		ListScalingPolicies, ReadScalingPolicy, ReadJobScaling, ScaleJob, SentinelOverride, SubmitRecommendation,
	}
}

// ofNamespacePolicy is what a namespace's policy is short for.
func ofNamespacePolicy(policy string) []string {
	read := []Capability{
		ListJobs, ParseJob, ReadJob, CSIListVolume, CSIReadVolume, ReadJobScaling, ListScalingPolicies,
		ReadScalingPolicy, HostVolumeRead,
	}
	switch policy {
	case policyDeny:
		return texts([]Capability{deny})
	case policyRead:
		return texts(read)
	case policyWrite:
		return texts(append(read,
			ScaleJob, SubmitJob, DispatchJob, ReadLogs, ReadFS, AllocExec, AllocLifecycle, CSIMountVolume,
			CSIWriteVolume, SubmitRecommendation, HostVolumeCreate))
	case policyScale:
		return texts([]Capability{
			ListScalingPolicies, ReadScalingPolicy, ReadJobScaling, ScaleJob, ReadJob, SubmitRecommendation,
		})
	}
	return nil
}

// impliedByVolumes is what capabilities for host volumes bring with them.
func impliedByVolumes(capabilities []string) []string {
	implied := map[string][]Capability{
		string(HostVolumeWrite):    {HostVolumeRegister, HostVolumeCreate, HostVolumeDelete, HostVolumeRead},
		string(HostVolumeRegister): {HostVolumeCreate, HostVolumeRead},
		string(HostVolumeCreate):   {HostVolumeRead},
	}
	var list []string
	for _, capability := range slices.Clone(capabilities) {
		list = append(list, texts(implied[capability])...)
	}
	return list
}

package jobs

import (
	"strings"

	"github.com/hashicorp/nomad/api"
)

// VolumeSource is the volume that an allocation of that name, job.group[3],
// gets for a request: one of its own, source[3], if each is to have one.
func VolumeSource(request *api.VolumeRequest, allocation string) string {
	if at := strings.LastIndexByte(allocation, '['); request.PerAlloc && at >= 0 {
		return request.Source + allocation[at:]
	}
	return request.Source
}

// CheckConstraint tells what is wrong with a constraint.
func CheckConstraint(c *api.Constraint) []string {
	var p problems
	checkConstraint(&p, c)
	return p
}

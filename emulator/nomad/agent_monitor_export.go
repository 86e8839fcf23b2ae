package nomad

import (
	"net/http"
	"strings"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

// exportLog answers as an agent that neither keeps its log in a file nor is a
// unit of systemd.
func (r *request) exportLog() (any, error) {
	if err := r.need(acl.Read, acl.Agent); err != nil {
		return nil, err
	}
	unit, onDisk := r.query.Get("service_name"), r.flag("on_disk")
	switch {
	case unit == "" && !onDisk:
		return nil, badRequest("Either -service-name or -on-disk must be set")
	case unit != "" && onDisk:
		return nil, badRequest("Cannot target journald and nomad log file simultaneously")
	case onDisk:
		return nil, badRequest("No nomad log file defined")
	case !strings.Contains(unit, "nomad"):
		return nil, fail(http.StatusUnprocessableEntity, "service name must include 'nomad")
	}
	return text{}, nil
}

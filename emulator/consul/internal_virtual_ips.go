package consul

import (
	"errors"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// maxManualIPs is how many addresses a service can be given from outside.
const maxManualIPs = 8

// peeredName is a service, which could be in another cluster.
type peeredName struct {
	ServiceName serviceName
	Peer        string
}

type virtualIPsAnswer struct {
	Found          bool
	UnassignedFrom []peeredName
}

func assignVirtualIPs(r *request) (any, error) {
	var wanted struct {
		Service    string
		ManualVIPs []string
	}
	if err := r.decodeStrictly(&wanted); err != nil {
		return nil, err
	}
	if err := r.need(acl.Write, acl.Mesh, ""); err != nil {
		return nil, err
	}
	if len(wanted.ManualVIPs) > maxManualIPs {
		return nil, errText("cannot associate more than %d manual virtual IPs with the same service", maxManualIPs)
	}
	var answer virtualIPsAnswer
	err := r.write(func(tx *state.Tx) error {
		found, taken, err := tx.AssignManualIPs(wanted.Service, wanted.ManualVIPs)
		answer.Found = found
		for _, name := range taken {
			answer.UnassignedFrom = append(answer.UnassignedFrom, peeredName{ServiceName: serviceName{name}})
		}
		return err
	})
	var wrong *state.NotAnAddressError
	if errors.As(err, &wrong) {
		return nil, errText(`"<nil>" is not a valid ip address`) // Consul names what it has read, not what was sent
	}
	return answer, err
}

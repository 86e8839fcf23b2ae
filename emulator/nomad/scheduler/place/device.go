package place

import (
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// deviceRequest is what a task asks of the devices of a node.
type deviceRequest struct {
	task        string
	name        []string // type; vendor and type; or vendor, type and model
	count       int
	constraints []deviceCondition
	affinities  []deviceCondition
}

// deviceCondition is a constraint or an affinity on a device.
type deviceCondition struct {
	left, right string
	operator    operator
	weight      float64
}

func newDeviceRequest(task string, of *api.RequestedDevice) deviceRequest {
	r := deviceRequest{task: task, name: strings.SplitN(of.Name, "/", 3), count: 1}
	if of.Count != nil {
		r.count = int(*of.Count)
	}
	for _, c := range of.Constraints {
		r.constraints = append(r.constraints, deviceCondition{c.LTarget, c.RTarget, newDeviceOperator(c.Operand), 0})
	}
	for _, a := range of.Affinities {
		r.affinities = append(r.affinities, deviceCondition{a.LTarget, a.RTarget, newDeviceOperator(a.Operand), weight(a.Weight)})
	}
	return r
}

// matches tells whether the request may be met with such devices.
func (r *deviceRequest) matches(device *api.NodeDeviceResource) bool {
	var name []string
	switch len(r.name) {
	case 1:
		name = []string{device.Type}
	case 2:
		name = []string{device.Vendor, device.Type}
	default:
		name = []string{device.Vendor, device.Type, device.Name}
	}
	return slices.Equal(name, r.name) &&
		!slices.ContainsFunc(r.constraints, func(c deviceCondition) bool { return !c.holds(device) })
}

// affinity is the sum of the weights of the affinities that such devices have.
func (r *deviceRequest) affinity(device *api.NodeDeviceResource) (sum float64) {
	for _, a := range r.affinities {
		if a.holds(device) {
			sum += a.weight
		}
	}
	return sum
}

func (c *deviceCondition) holds(device *api.NodeDeviceResource) bool {
	return c.operator(deviceTarget(c.left, device), deviceTarget(c.right, device))
}

// deviceTarget is "${device.attr.memory}" or the like, or a text that stands for itself.
func deviceTarget(text string, device *api.NodeDeviceResource) value {
	name, is := strings.CutPrefix(text, "${device.")
	if !is {
		return value{text, true}
	}
	name = strings.TrimSuffix(name, "}")
	switch name {
	case "model":
		return value{device.Name, true}
	case "vendor":
		return value{device.Vendor, true}
	case "type":
		return value{device.Type, true}
	case "ids":
		return value{strings.Join(instances(device, nil), ","), true}
	}
	if key, is := strings.CutPrefix(name, "attr."); is && device.Attributes[key] != nil {
		return value{device.Attributes[key].String(), true}
	}
	return value{}
}

// instances are the IDs of those that are healthy and not taken.
func instances(device *api.NodeDeviceResource, taken []string) (ids []string) {
	for _, instance := range device.Instances {
		if instance.Healthy && !slices.Contains(taken, state.DeviceInstance(device.Vendor, device.Type, device.Name, instance.ID)) {
			ids = append(ids, instance.ID)
		}
	}
	return ids
}

// deviceOffer is what a node gives for the requests of a group.
type deviceOffer struct {
	byTask map[string][]*api.AllocatedDeviceResource
	score  float64 // by affinities, from -1 to 1
	scored bool    // there are affinities
}

// hasDevices tells whether the requests could be met if nothing were taken.
func hasDevices(node *state.Node, requests []deviceRequest) bool {
	_, ok := offerDevices(node, requests, nil)
	return ok
}

// offerDevices meets the requests with what is not taken, each with devices of
// one kind: the kind that its affinities like best.
func offerDevices(node *state.Node, requests []deviceRequest, taken []string) (offer deviceOffer, ok bool) {
	if len(requests) == 0 {
		return offer, true
	}
	taken = slices.Clone(taken)
	offer.byTask = map[string][]*api.AllocatedDeviceResource{}
	var sum, weights float64
	for i := range requests {
		r := &requests[i]
		device, ids := r.best(node, taken)
		if device == nil {
			return deviceOffer{}, false
		}
		for _, id := range ids {
			taken = append(taken, state.DeviceInstance(device.Vendor, device.Type, device.Name, id))
		}
		offer.byTask[r.task] = append(offer.byTask[r.task], &api.AllocatedDeviceResource{
			Vendor: device.Vendor, Type: device.Type, Name: device.Name, DeviceIDs: ids,
		})
		sum += r.affinity(device)
		for _, a := range r.affinities {
			weights += max(a.weight, -a.weight)
		}
	}
	if weights > 0 {
		offer.score, offer.scored = sum/weights, true
	}
	return offer, true
}

func (r *deviceRequest) best(node *state.Node, taken []string) (best *api.NodeDeviceResource, ids []string) {
	if node.NodeResources == nil {
		return nil, nil
	}
	for _, device := range node.NodeResources.Devices {
		if !r.matches(device) || best != nil && r.affinity(device) <= r.affinity(best) {
			continue
		}
		if free := instances(device, taken); len(free) >= r.count {
			best, ids = device, free[:r.count]
		}
	}
	return best, ids
}

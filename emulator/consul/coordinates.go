package consul

import (
	"errors"
	"net/http"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/serf/coordinate"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func coordinateRoutes() []route {
	return []route{
		partial(http.MethodGet, "/v1/coordinate/datacenters", datacenterCoordinates, "datacenters are all in one place: nothing measures how far they are from each other"),
		faithful(http.MethodGet, "/v1/coordinate/nodes", nodeCoordinates),
		faithful(http.MethodGet, "/v1/coordinate/node/{node...}", nodeCoordinate),
		faithful(http.MethodPut, "/v1/coordinate/update", updateCoordinate),
	}
}

// datacenterCoordinates answers where the datacenters' servers are.
func datacenterCoordinates(r *request) (any, error) {
	list := []api.CoordinateDatacenterMap{}
	for _, d := range r.dc.consul.datacenters {
		server := api.CoordinateEntry{Node: d.server().Node, Coord: origin()}
		list = append(list, api.CoordinateDatacenterMap{
			Datacenter: d.name, AreaID: "wan", Coordinates: []api.CoordinateEntry{server},
		})
	}
	return list, nil
}

// origin is where everybody is who has not been measured.
func origin() *coordinate.Coordinate { return coordinate.NewCoordinate(coordinate.DefaultConfig()) }

// placeAtOrigin gives an agent's node a place, unless somebody has.
func placeAtOrigin(tx *state.Tx, node string) error {
	if tx.Coordinate(node, "") != nil {
		return nil
	}
	return tx.PutCoordinate(state.Coordinate{Node: node, Coord: origin()})
}

func nodeCoordinates(r *request) (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*state.Coordinate{}
		for place := range store.All[state.Coordinate](view, state.TableCoordinates, "id") {
			if !c.may.Allows(acl.Read, acl.Node, place.Node) {
				r.filtered()
			} else if r.inSegment(place) {
				list = append(list, place)
			}
		}
		return list, view.Index(state.TableCoordinates), nil
	})
}

func nodeCoordinate(r *request) (any, error) {
	node := r.PathValue("node")
	if err := r.need(acl.Read, acl.Node, node); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*state.Coordinate{}
		for place := range store.All[state.Coordinate](view, state.TableCoordinates, "node", node) {
			if r.inSegment(place) {
				list = append(list, place)
			}
		}
		index := max(view.Index(state.TableCoordinates), 1)
		if len(list) == 0 {
			return nil, index, notFound("")
		}
		return list, index, nil
	})
}

// inSegment tells whether a coordinate is of the segment that is asked for.
func (r *request) inSegment(place *state.Coordinate) bool {
	return !r.has("segment") || place.Segment == r.query.Get("segment")
}

// updateCoordinate takes in where a node is. Nodes that are not in the catalog
// may not be known yet, and are passed over.
func updateCoordinate(r *request) (any, error) {
	var body api.CoordinateEntry
	if err := r.decodeStrictly(&body); err != nil {
		return nil, err
	}
	if err := r.need(acl.Write, acl.Node, body.Node); err != nil {
		return nil, err
	}
	if body.Coord == nil || !body.Coord.IsCompatibleWith(origin()) {
		return nil, errText("incompatible coordinate")
	}
	if !body.Coord.IsValid() {
		return nil, errText("invalid coordinate")
	}
	err := r.write(func(tx *state.Tx) error {
		return tx.PutCoordinate(state.Coordinate{Node: body.Node, Segment: body.Segment, Coord: body.Coord})
	})
	var unknown *state.NoNodeError
	if errors.As(err, &unknown) {
		return nil, nil
	}
	return nil, err
}

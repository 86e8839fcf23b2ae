package nomad

import (
	"net/http"
)

func volumeRoutes() []route {
	const noPlugin = "no plugin can run here, so that there are no volumes either"
	const noClaims = "sticky volumes are not claimed: an allocation may come back wherever a volume has the name"
	return []route{
		faithful(http.MethodGet, "/v1/volumes", (*request).volumes),
		faithful(http.MethodPut, "/v1/volume/host/create", (*request).createHostVolume),
		faithful(http.MethodPut, "/v1/volume/host/register", (*request).registerHostVolume),
		faithful(http.MethodGet, "/v1/volume/host/{id}", (*request).hostVolume),
		faithful(http.MethodDelete, "/v1/volume/host/{id}", (*request).deleteHostVolume),
		faithful(http.MethodDelete, "/v1/volume/host/{id}/delete", (*request).deleteHostVolume),
		partial(http.MethodGet, "/v1/volumes/claims", (*request).volumeClaims, noClaims),
		partial(http.MethodDelete, "/v1/volumes/claim/{id}", (*request).deleteVolumeClaim, noClaims),

		partial(http.MethodGet, "/v1/volume/csi/{id...}", (*request).csiVolume, noPlugin),
		partial(http.MethodPut, "/v1/volume/csi/{id...}", (*request).putCSIVolume, noPlugin),
		partial(http.MethodDelete, "/v1/volume/csi/{id...}", (*request).deleteCSIVolume, noPlugin),
		partial(http.MethodPut, "/v1/volume/csi/{id...}/create", (*request).putCSIVolume, noPlugin),
		partial(http.MethodDelete, "/v1/volume/csi/{id...}/delete", (*request).deleteCSIVolume, noPlugin),
		partial(http.MethodDelete, "/v1/volume/csi/{id...}/detach", (*request).detachCSIVolume, noPlugin),
		partial(http.MethodGet, "/v1/volumes/external", (*request).ofCSIPlugin, noPlugin),
		partial(http.MethodGet, "/v1/volumes/snapshot", (*request).ofCSIPlugin, noPlugin),
		partial(http.MethodPut, "/v1/volumes/snapshot", (*request).createCSISnapshots, noPlugin),
		partial(http.MethodDelete, "/v1/volumes/snapshot", (*request).deleteCSISnapshot, noPlugin),
		partial(http.MethodGet, "/v1/plugins", (*request).plugins, noPlugin),
		partial(http.MethodGet, "/v1/plugin/csi/{id}", (*request).csiPlugin, noPlugin),
	}
}

// volumes lists the volumes of a type.
func (r *request) volumes() (any, error) {
	switch r.query.Get("type") {
	case "host":
		return r.hostVolumes()
	case "csi":
		return r.csiVolumes()
	case "":
		return []struct{}{}, nil
	}
	return nil, notFound("resource not found")
}

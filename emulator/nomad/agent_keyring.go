package nomad

import (
	"encoding/base64"
	"net/http"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

// errNoGossipKeys is what is answered about the keys of servers that talk to
// each other without one.
var errNoGossipKeys = fail(http.StatusInternalServerError, "1/1 nodes reported failure")

func (r *request) listGossipKeys() (any, error) {
	if err := r.need(acl.Write, acl.Agent); err != nil {
		return nil, err
	}
	return nil, errNoGossipKeys
}

func (r *request) changeGossipKeys() (any, error) {
	if err := r.need(acl.Write, acl.Agent); err != nil {
		return nil, err
	}
	var asked struct{ Key string }
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if _, err := base64.StdEncoding.DecodeString(asked.Key); err != nil {
		return nil, fail(http.StatusInternalServerError, "%v", err)
	}
	return nil, errNoGossipKeys
}

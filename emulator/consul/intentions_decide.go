package consul

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/ca"
	"github.com/drydock/drydock/emulator/consul/state"
)

func matchIntentions(r *request) (any, error) {
	by := r.query.Get("by")
	switch {
	case by == "":
		return nil, fail(http.StatusInternalServerError, "required query parameter 'by' not set")
	case by != string(api.IntentionMatchSource) && by != string(api.IntentionMatchDestination):
		return nil, fail(http.StatusInternalServerError, "'by' parameter must be one of 'source' or 'destination'")
	case len(r.query["name"]) == 0:
		return nil, fail(http.StatusInternalServerError, "required query parameter 'name' not set")
	}
	names := map[string]string{} // as they were asked for, to the service
	for _, asked := range r.query["name"] {
		service, err := plainService(asked)
		if err != nil {
			return nil, err
		}
		if err := r.need(acl.Read, acl.Intention, service); err != nil {
			return nil, err
		}
		names[asked] = service
	}
	r.header.Set("X-Consul-Effective-Consistency", "leader")
	return r.block(func(view *state.View) (any, uint64, error) {
		all, err := intentions(view)
		if err != nil {
			return nil, 0, err
		}
		found := map[string][]*intention{}
		for asked, service := range names {
			found[asked] = slices.DeleteFunc(slices.Clone(all), func(i *intention) bool {
				name := i.DestinationName
				if by == string(api.IntentionMatchSource) {
					name = i.SourceName
				}
				return name != service && name != wildcard
			})
		}
		return found, view.Index(state.TableConfigEntries), nil
	})
}

func checkIntention(r *request) (any, error) {
	source, destination, err := r.pair()
	if err != nil {
		return nil, err
	}
	if kind := r.query.Get("source-type"); kind != "" && kind != string(api.IntentionSourceConsul) {
		return nil, fail(http.StatusInternalServerError, "unsupported SourceType: %q", kind)
	}
	if err := r.need(acl.Read, acl.Service, destination); err != nil {
		return nil, err
	}
	d, err := r.decide(source, destination)
	return map[string]bool{"Allowed": d.allowed}, err
}

// decision says whether a service may connect to another, and why.
type decision struct {
	allowed bool
	reason  string
}

// decide takes the intention of the highest precedence that names both
// services. One that asks about requests does not allow a connection by itself.
// Without any, the default of access control holds.
func (r *request) decide(source, destination string) (decision, error) {
	all, err := intentions(r.dc.store.View())
	if err != nil {
		return decision{}, err
	}
	matches := func(i *intention) bool {
		return (i.SourceName == source || i.SourceName == wildcard) && i.SourcePeer == "" &&
			(i.DestinationName == destination || i.DestinationName == wildcard)
	}
	at := slices.IndexFunc(all, matches)
	if at < 0 {
		o := r.dc.consul.options.ACL
		return decision{!o.Enabled || o.Allow, "Default behavior configured by ACLs"}, nil
	}
	i := all[at]
	names := fmt.Sprintf("%s/%s => %s/%s", i.SourceNS, i.SourceName, i.DestinationNS, i.DestinationName)
	if len(i.Permissions) > 0 {
		return decision{false, fmt.Sprintf("Matched L7 intention: %s (Precedence: %d)", names, i.Precedence)}, nil
	}
	return decision{i.Action == api.IntentionActionAllow, fmt.Sprintf("Matched L4 intention: %s (Precedence: %d, Action: %s)",
		names, i.Precedence, strings.ToUpper(string(i.Action)))}, nil
}

// authorizeConnection answers a proxy that asks whether to accept a client.
func authorizeConnection(r *request) (any, error) {
	var body api.AgentAuthorizeParams
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	if body.Target == "" {
		return nil, badRequest("Target service must be specified")
	}
	uri, err := url.Parse(body.ClientCertURI)
	var source ca.Identity
	if err == nil {
		source, err = ca.ParseIdentity(uri)
	}
	if err != nil {
		return nil, badRequest("ClientCertURI not a valid Connect identifier")
	}
	if _, err := r.identify(); err != nil {
		return nil, fail(statusOf(err), "Could not resolve token to authorizer: %v", err)
	}
	if err := r.need(acl.Write, acl.Service, body.Target); err != nil {
		return nil, err
	}
	if err := r.need(acl.Read, acl.Intention, body.Target); err != nil {
		return nil, fail(http.StatusForbidden, "failed getting intention match: %v", err)
	}
	d, err := r.decide(source.Service, body.Target)
	if err != nil {
		return nil, err
	}
	r.header.Set("X-Cache", "MISS")
	return api.AgentAuthorize{Authorized: d.allowed, Reason: d.reason}, nil
}

package consul

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func configEntryRoutes() []route {
	return []route{
		partial(http.MethodPut, "/v1/config", putConfigEntry, "the status of API gateways and their routes is not worked out"),
		faithful(http.MethodGet, "/v1/config/{kind}/{name...}", getConfigEntry),
		faithful(http.MethodDelete, "/v1/config/{kind}/{name...}", deleteConfigEntry),
		faithful(http.MethodGet, "/v1/config/{kind...}", listConfigEntries),
	}
}

// configKinds are the kinds of configuration entries there are.
var configKinds = []string{
	api.ServiceDefaults, api.ProxyDefaults, api.ServiceRouter, api.ServiceSplitter, api.ServiceResolver,
	api.IngressGateway, api.TerminatingGateway, api.ServiceIntentions, api.MeshConfig, api.ExportedServices,
	api.SamenessGroup, api.APIGateway, api.TCPRoute, api.FileSystemCertificate, api.InlineCertificate,
	api.HTTPRoute, api.JWTProvider,
}

func putConfigEntry(r *request) (any, error) {
	body, err := r.body()
	if err != nil {
		return nil, err
	}
	entry, err := decodeConfigEntry(body)
	if err != nil {
		return nil, badRequest("Request decoding failed: %v", err)
	}
	compare, index, err := r.compareIndex()
	if err != nil {
		return nil, err
	}
	if err := r.mayConfigure(acl.Write, entry.GetKind(), entry.GetName()); err != nil {
		return nil, err
	}
	written := false
	err = r.write(func(tx *state.Tx) error {
		if err := prepareConfigEntry(entry); err != nil {
			return err
		}
		before := entryIndex(&tx.View, entry.GetKind(), entry.GetName())
		if err := tx.PutConfigEntry(entry); err != nil {
			return err
		}
		// What is written again as it was is written, whatever the index.
		changed := entryIndex(&tx.View, entry.GetKind(), entry.GetName()) != before
		if written = !compare || !changed || before == index; !written {
			return errNotWritten
		}
		return r.dc.checkChains(&tx.View, entry)
	})
	if errors.Is(err, errNotWritten) {
		err = nil
	}
	return written, err
}

// errNotWritten takes a write back that the index of cas forbids.
var errNotWritten = errors.New("the entry has another index")

// compareIndex reads the parameter cas, which may be missing.
func (r *request) compareIndex() (compare bool, index uint64, err error) {
	text := r.query.Get("cas")
	if text == "" {
		return false, 0, nil
	}
	if index, err = strconv.ParseUint(text, 10, 64); err != nil {
		return false, 0, err
	}
	return true, index, nil
}

// entryIndex is the index of an entry's last change; 0 when there is none.
func entryIndex(v *state.View, kind, name string) uint64 {
	if row := store.First[state.ConfigEntry](v, state.TableConfigEntries, "id", kind, name); row != nil {
		return row.ModifyIndex
	}
	return 0
}

func getConfigEntry(r *request) (any, error) {
	kind, name := r.PathValue("kind"), r.PathValue("name")
	if !slices.Contains(configKinds, kind) {
		return nil, fmt.Errorf("invalid config entry kind: %s", kind)
	}
	if err := r.mayConfigure(acl.Read, kind, name); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		row := store.First[state.ConfigEntry](view, state.TableConfigEntries, "id", kind, name)
		if row == nil {
			return nil, view.Index(state.TableConfigEntries), notFound("Config entry not found for %q / %q", kind, name)
		}
		return row.Document, row.ModifyIndex, nil
	})
}

func listConfigEntries(r *request) (any, error) {
	index, args := "kind", []any{r.PathValue("kind")}
	if args[0] == "" { // all kinds
		index, args = "id", nil
	} else if !slices.Contains(configKinds, r.PathValue("kind")) {
		return nil, fmt.Errorf("invalid config entry kind: %s", r.PathValue("kind"))
	}
	if _, err := r.identify(); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		entries := []json.RawMessage{}
		for row := range store.All[state.ConfigEntry](view, state.TableConfigEntries, index, args...) {
			if r.mayConfigure(acl.Read, row.Kind, row.Name) != nil {
				r.filtered()
				continue
			}
			entries = append(entries, row.Document)
		}
		return entries, view.Index(state.TableConfigEntries), nil
	})
}

func deleteConfigEntry(r *request) (any, error) {
	kind, name := r.PathValue("kind"), r.PathValue("name")
	if !slices.Contains(configKinds, kind) {
		return nil, fmt.Errorf("invalid config entry kind: %s", kind)
	}
	compare, index, err := r.compareIndex()
	if err != nil {
		return nil, err
	}
	if err := r.mayConfigure(acl.Write, kind, name); err != nil {
		return nil, err
	}
	deleted := false
	err = r.write(func(tx *state.Tx) error {
		row := store.First[state.ConfigEntry](tx, state.TableConfigEntries, "id", kind, name)
		if row == nil {
			deleted = true
			return nil
		}
		if deleted = !compare || row.ModifyIndex == index; !deleted {
			return nil
		}
		entry, err := row.Decode()
		if err != nil {
			return err
		}
		tx.DeleteConfigEntry(kind, name)
		return r.dc.checkChains(&tx.View, entry)
	})
	if err != nil || compare {
		return deleted, err
	}
	return struct{}{}, nil
}

// mayConfigure is an error unless the caller may read or write the entry. The
// permissions are those that the documentation of the kinds names.
func (r *request) mayConfigure(access acl.Access, kind, name string) error {
	switch kind {
	case api.ServiceDefaults, api.ServiceRouter, api.ServiceSplitter, api.ServiceResolver:
		return r.need(access, acl.Service, name)
	case api.ServiceIntentions:
		return r.need(access, acl.Intention, name)
	case api.ProxyDefaults, api.MeshConfig:
		if access == acl.Read {
			_, err := r.identify() // every proxy needs them
			return err
		}
		return r.need(access, acl.Mesh, "")
	case api.IngressGateway, api.TerminatingGateway, api.APIGateway:
		if access == acl.Read {
			return r.need(access, acl.Service, name)
		}
		return r.need(access, acl.Mesh, "")
	default:
		return r.need(access, acl.Mesh, "")
	}
}

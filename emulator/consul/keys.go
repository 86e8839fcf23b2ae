package consul

import (
	"net/http"
	"strings"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func keyRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/kv/{key...}", getKey),
		faithful(http.MethodPut, "/v1/kv/{key...}", putKey),
		faithful(http.MethodDelete, "/v1/kv/{key...}", deleteKey),
	}
}

// getKey answers an entry, or with ?recurse all below a prefix, or with ?keys
// the names of these.
func getKey(r *request) (any, error) {
	key := r.PathValue("key")
	switch {
	case r.has("keys"):
		return listKeys(r, key)
	case r.has("recurse"):
		return r.block(func(view *state.View) (any, uint64, error) {
			entries, index, err := readableKeys(r, view, key)
			if err == nil && len(entries) == 0 {
				err = notFound("")
			}
			return entries, index, err
		})
	}
	if key == "" {
		return nil, badRequest("Missing key name")
	}
	if err := r.need(acl.Read, acl.Key, key); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		entry, index := view.Key(key)
		switch {
		case entry == nil:
			return nil, index, notFound("")
		case r.has("raw"):
			r.rawHeaders()
			return text(entry.Value), index, nil
		default:
			return []*state.Key{entry}, index, nil
		}
	})
}

// rawHeaders keep a browser from taking a value, which anybody may have
// written, for a page of this site.
func (r *request) rawHeaders() {
	r.header.Set("Content-Type", "text/plain; charset=utf-8")
	r.header.Set("X-Content-Type-Options", "nosniff")
	r.header.Set("Content-Security-Policy", "sandbox")
}

func listKeys(r *request, prefix string) (any, error) {
	return r.block(func(view *state.View) (any, uint64, error) {
		entries, index, err := readableKeys(r, view, prefix)
		names := namesUpTo(r.query.Get("separator"), prefix, entries)
		if err == nil && len(names) == 0 && prefix != "" {
			err = notFound("")
		}
		return names, index, err
	})
}

// namesUpTo are the names of the entries, each cut after the first separator
// behind the prefix and told once, as a folder lists files and folders.
func namesUpTo(separator, prefix string, entries []*state.Key) []string {
	names := []string{}
	for _, entry := range entries {
		name := entry.Key
		if separator != "" {
			if i := strings.Index(name[len(prefix):], separator); i >= 0 {
				name = name[:len(prefix)+i+len(separator)]
			}
		}
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return names
}

// readableKeys are the entries below a prefix that the caller may read.
func readableKeys(r *request, view *state.View, prefix string) ([]*state.Key, uint64, error) {
	c, err := r.identify()
	if err != nil {
		return nil, 0, err
	}
	if r.dc.consul.options.ACL.KeyList {
		if err := r.need(acl.List, acl.Key, prefix); err != nil {
			return nil, 0, err
		}
	}
	entries, index := view.Keys(prefix)
	readable := entries[:0]
	for _, entry := range entries {
		if c.may.Allows(acl.Read, acl.Key, entry.Key) {
			readable = append(readable, entry)
		}
	}
	if len(readable) < len(entries) {
		r.filtered()
	}
	return readable, index, nil
}

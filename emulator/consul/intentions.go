package consul

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/filter"
	"github.com/drydock/drydock/emulator/consul/state"
)

func intentionRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/connect/intentions", listIntentions),
		faithful(http.MethodPost, "/v1/connect/intentions", createIntention),
		faithful(http.MethodGet, "/v1/connect/intentions/exact", getExactIntention),
		faithful(http.MethodPut, "/v1/connect/intentions/exact", putExactIntention),
		faithful(http.MethodDelete, "/v1/connect/intentions/exact", deleteExactIntention),
		faithful(http.MethodGet, "/v1/connect/intentions/match", matchIntentions),
		faithful(http.MethodGet, "/v1/connect/intentions/check", checkIntention),
		faithful(http.MethodGet, "/v1/connect/intentions/{id...}", getIntention),
		faithful(http.MethodPut, "/v1/connect/intentions/{id...}", updateIntention),
		faithful(http.MethodDelete, "/v1/connect/intentions/{id...}", deleteIntention),
	}
}

// intention is one source of a service-intentions entry, as the intentions API
// shows it. Those that were made through that API have an ID, times and a hash.
type intention struct {
	CreatedAt       *time.Time `json:",omitempty"`
	UpdatedAt       *time.Time `json:",omitempty"`
	ID              string     `json:",omitempty"`
	Description     string     `json:",omitempty"`
	SourceNS        string
	SourceName      string
	DestinationNS   string
	DestinationName string
	SourcePeer      string `json:",omitempty"`
	SourceType      api.IntentionSourceType
	Action          api.IntentionAction        `json:",omitempty"`
	Permissions     []*api.IntentionPermission `json:",omitempty"`
	Meta            map[string]string          `json:",omitempty"`
	Precedence      int
	Hash            []byte `json:",omitempty"`
	CreateIndex     uint64
	ModifyIndex     uint64
}

// intentions are all sources of all entries, those first that hold first.
func intentions(view *state.View) ([]*intention, error) {
	entries, err := state.Configs[api.ServiceIntentionsConfigEntry](view, api.ServiceIntentions)
	if err != nil {
		return nil, err
	}
	list := []*intention{}
	for _, entry := range entries {
		for _, source := range entry.Sources {
			list = append(list, intentionOf(entry, source))
		}
	}
	slices.SortStableFunc(list, func(a, b *intention) int {
		return cmp.Or(b.Precedence-a.Precedence, cmp.Compare(a.DestinationName, b.DestinationName), cmp.Compare(a.SourceName, b.SourceName))
	})
	return list, nil
}

func intentionOf(entry *api.ServiceIntentionsConfigEntry, source *api.SourceIntention) *intention {
	i := &intention{
		CreatedAt: source.LegacyCreateTime, UpdatedAt: source.LegacyUpdateTime, ID: source.LegacyID,
		Description: source.Description,
		SourceNS:    "default", SourceName: source.Name, DestinationNS: "default", DestinationName: entry.Name,
		SourcePeer: source.Peer, SourceType: source.Type, Action: source.Action, Permissions: source.Permissions,
		Meta: source.LegacyMeta, Precedence: source.Precedence,
		CreateIndex: entry.CreateIndex, ModifyIndex: entry.ModifyIndex,
	}
	if i.ID != "" {
		text, _ := json.Marshal(source) // it has been JSON before
		sum := sha256.Sum256(text)
		i.Hash = sum[:]
	}
	return i
}

func listIntentions(r *request) (any, error) {
	wanted, err := filter.New[*intention](r.query.Get("filter"))
	if err != nil {
		return nil, err
	}
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		all, err := intentions(view)
		if err != nil {
			return nil, 0, err
		}
		list := slices.DeleteFunc(all, func(i *intention) bool {
			hidden := !c.seesIntention(i)
			if hidden {
				r.filtered()
			}
			return hidden || !wanted.Keeps(i)
		})
		return list, view.Index(state.TableConfigEntries), nil
	})
}

// oneIntention answers with the intention that matches, or that there is none.
func (r *request) oneIntention(matches func(*intention) bool) (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		all, err := intentions(view)
		if err != nil {
			return nil, 0, err
		}
		i := slices.IndexFunc(all, matches)
		if i < 0 {
			return nil, view.Index(state.TableConfigEntries), notFound("Intention not found")
		}
		if !c.seesIntention(all[i]) {
			return nil, 0, errDenied
		}
		return all[i], all[i].ModifyIndex, nil
	})
}

// seesIntention tells whether the caller may read the intentions of either side.
func (c *caller) seesIntention(i *intention) bool {
	return c.may.Allows(acl.Read, acl.Intention, i.DestinationName) || c.may.Allows(acl.Read, acl.Intention, i.SourceName)
}

func getExactIntention(r *request) (any, error) {
	source, destination, err := r.pair()
	if err != nil {
		return nil, err
	}
	return r.oneIntention(func(i *intention) bool { return i.SourceName == source && i.DestinationName == destination })
}

func putExactIntention(r *request) (any, error) {
	source, destination, err := r.pair()
	if err != nil {
		return nil, err
	}
	var body api.Intention
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	if len(body.Meta) > 0 {
		return nil, fail(http.StatusInternalServerError, "Meta must not be specified")
	}
	if err := r.mayIntend(destination); err != nil {
		return nil, err
	}
	err = r.changeIntentions(destination, func(entry *api.ServiceIntentionsConfigEntry) error {
		forgetIDs(entry)
		at := slices.IndexFunc(entry.Sources, func(s *api.SourceIntention) bool { return s.Name == source })
		changed := &api.SourceIntention{
			Name: source, Action: body.Action, Permissions: body.Permissions, Description: body.Description,
		}
		if at < 0 {
			entry.Sources = append(entry.Sources, changed)
		} else {
			entry.Sources[at] = changed
		}
		return nil
	})
	return err == nil, err
}

func deleteExactIntention(r *request) (any, error) {
	source, destination, err := r.pair()
	if err != nil {
		return nil, err
	}
	if err := r.mayIntend(destination); err != nil {
		return nil, err
	}
	err = r.changeIntentions(destination, func(entry *api.ServiceIntentionsConfigEntry) error {
		forgetIDs(entry)
		entry.Sources = slices.DeleteFunc(entry.Sources, func(s *api.SourceIntention) bool { return s.Name == source })
		return nil
	})
	return err == nil, err
}

// forgetIDs takes from the intentions of an entry what only those have that are
// known by IDs: a change by names makes the entry one that has none.
func forgetIDs(entry *api.ServiceIntentionsConfigEntry) {
	for _, s := range entry.Sources {
		s.LegacyID, s.LegacyMeta, s.LegacyCreateTime, s.LegacyUpdateTime = "", nil, nil, nil
	}
}

// changeIntentions changes the sources of a destination's entry, which is made
// with the first of them and goes with the last.
func (r *request) changeIntentions(destination string, change func(*api.ServiceIntentionsConfigEntry) error) error {
	return r.write(func(tx *state.Tx) error {
		entry, err := state.Config[api.ServiceIntentionsConfigEntry](&tx.View, api.ServiceIntentions, destination)
		if err != nil {
			return err
		}
		if entry == nil {
			entry = &api.ServiceIntentionsConfigEntry{Kind: api.ServiceIntentions, Name: destination}
		}
		if err := change(entry); err != nil {
			return err
		}
		if len(entry.Sources) == 0 {
			tx.DeleteConfigEntry(api.ServiceIntentions, destination)
			return nil
		}
		if err := prepareIntentions(entry); err != nil {
			return err
		}
		if err := tx.PutConfigEntry(entry); err != nil {
			return err
		}
		return r.dc.checkChains(&tx.View, entry)
	})
}

// mayIntend is an error, a short one, unless the caller may write intentions of
// a destination.
func (r *request) mayIntend(destination string) error {
	return r.needBriefly(acl.Write, acl.Intention, destination)
}

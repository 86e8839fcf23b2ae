package state

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableConfigEntries is the table of the configuration entries.
const TableConfigEntries = "config-entries"

// ConfigEntry is a configuration entry: its document is the JSON of the type
// that package api has for its kind, with its indexes and a hash of it.
type ConfigEntry struct {
	Kind        string
	Name        string
	Document    json.RawMessage
	CreateIndex uint64
	ModifyIndex uint64
}

func configEntryTables() store.Schema {
	return store.Schema{
		TableConfigEntries: store.Rows[ConfigEntry](
			store.Unique("id", store.Both(store.Field("Kind"), store.Field("Name"))),
			store.Many("kind", store.Field("Kind")),
		),
	}
}

// Decode is the entry as the type that package api has for its kind.
func (e *ConfigEntry) Decode() (api.ConfigEntry, error) {
	entry, err := api.MakeConfigEntry(e.Kind, e.Name)
	if err == nil {
		err = json.Unmarshal(e.Document, entry)
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration entry %s/%s: %w", e.Kind, e.Name, err)
	}
	return entry, nil
}

// Config finds the entry of a kind and name as the type that it has; nil when
// there is none.
func Config[T any](v *View, kind, name string) (*T, error) {
	row := store.First[ConfigEntry](v, TableConfigEntries, "id", kind, name)
	if row == nil {
		return nil, nil
	}
	entry, err := row.Decode()
	if err != nil {
		return nil, err
	}
	return any(entry).(*T), nil
}

// Configs are all entries of a kind as the type that they have.
func Configs[T any](v *View, kind string) ([]*T, error) {
	var list []*T
	for row := range store.All[ConfigEntry](v, TableConfigEntries, "kind", kind) {
		entry, err := row.Decode()
		if err != nil {
			return nil, err
		}
		list = append(list, any(entry).(*T))
	}
	return list, nil
}

// PutConfigEntry writes an entry. One that is as it was keeps its index.
func (tx *Tx) PutConfigEntry(entry api.ConfigEntry) error {
	row := ConfigEntry{Kind: entry.GetKind(), Name: entry.GetName(), CreateIndex: tx.ChangeIndex(), ModifyIndex: tx.ChangeIndex()}
	old := store.First[ConfigEntry](tx, TableConfigEntries, "id", row.Kind, row.Name)
	if old != nil {
		row.CreateIndex = old.CreateIndex
		same, err := configDocument(entry, old.CreateIndex, old.ModifyIndex)
		if err == nil && slices.Equal(same, old.Document) {
			return nil
		}
	}
	var err error
	if row.Document, err = configDocument(entry, row.CreateIndex, row.ModifyIndex); err != nil {
		return fmt.Errorf("write configuration entry %s/%s: %w", row.Kind, row.Name, err)
	}
	tx.Insert(TableConfigEntries, &row)
	tx.relinkAfter(row.Kind)
	return nil
}

// configDocument is an entry's JSON. Its hash is of what it says, without the indexes.
func configDocument(entry api.ConfigEntry, created, modified uint64) (json.RawMessage, error) {
	setIndexes(entry, 0, 0)
	text, err := json.Marshal(entry)
	if err != nil {
		return nil, err
	}
	hash := fnv.New64a()
	hash.Write(text)
	setIndexes(entry, created, modified)
	if text, err = json.Marshal(entry); err != nil {
		return nil, err
	}
	return fmt.Appendf(text[:len(text)-1], `,"Hash":%d}`, hash.Sum64()), nil
}

// setIndexes sets the two fields that all entries' types have.
func setIndexes(entry api.ConfigEntry, created, modified uint64) {
	fields := reflect.ValueOf(entry).Elem()
	fields.FieldByName("CreateIndex").SetUint(created)
	fields.FieldByName("ModifyIndex").SetUint(modified)
}

// DeleteConfigEntry removes an entry; it does nothing when there is none.
func (tx *Tx) DeleteConfigEntry(kind, name string) {
	if row := store.First[ConfigEntry](tx, TableConfigEntries, "id", kind, name); row != nil {
		tx.Delete(TableConfigEntries, row)
		tx.relinkAfter(kind)
	}
}

// CopyConfigEntries makes the entries those of another store, with indexes of
// their own.
func (tx *Tx) CopyConfigEntries(entries []*ConfigEntry) error {
	stays := map[[2]string]bool{}
	for _, row := range entries {
		stays[[2]string{row.Kind, row.Name}] = true
		entry, err := row.Decode()
		if err != nil {
			return err
		}
		if err := tx.PutConfigEntry(entry); err != nil {
			return err
		}
	}
	for _, row := range store.Collect[ConfigEntry](tx, TableConfigEntries, "id") {
		if !stays[[2]string{row.Kind, row.Name}] {
			tx.DeleteConfigEntry(row.Kind, row.Name)
		}
	}
	return nil
}

// ServiceDefaults are a service's own entry, nil without one, and its protocol.
func (v *View) ServiceDefaults(service string) (*api.ServiceConfigEntry, string, error) {
	entry, err := Config[api.ServiceConfigEntry](v, api.ServiceDefaults, service)
	if err != nil {
		return nil, "", err
	}
	if entry != nil && entry.Protocol != "" {
		return entry, entry.Protocol, nil
	}
	proxies, err := Config[api.ProxyConfigEntry](v, api.ProxyDefaults, api.ProxyConfigGlobal)
	if err != nil {
		return nil, "", err
	}
	if proxies != nil {
		if protocol, ok := proxies.Config["protocol"].(string); ok && protocol != "" {
			return entry, protocol, nil
		}
	}
	return entry, "tcp", nil
}

package consul

import (
	"context"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// replicateConfigEntries keeps the configuration entries of a datacenter as
// those of the primary one are, until the context ends. It has a copy because
// what follows from the entries, such as what a gateway is linked to, follows
// from its own catalog as well.
func (d *datacenter) replicateConfigEntries(ctx context.Context) {
	d.consul.primary().store.Watch(ctx, func(primary *state.View) bool {
		entries := store.Collect[state.ConfigEntry](primary, state.TableConfigEntries, "id")
		err := d.store.Write(func(tx *state.Tx) error { return tx.CopyConfigEntries(entries) })
		if err != nil {
			d.consul.log.Error("copy the configuration entries of the primary datacenter", "datacenter", d.name, "error", err)
		}
		return false
	})
}

package state

import (
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableAutopilot is the table of how Autopilot is configured: one row at most.
const TableAutopilot = "autopilot"

// autopilotName is the name of the one row.
const autopilotName = "autopilot"

// autopilot is how Autopilot is configured.
type autopilot struct {
	Name   string
	Config api.AutopilotConfiguration
}

func operatorTables() store.Schema {
	return store.Schema{
		TableAutopilot: store.Rows[autopilot](store.Unique("id", store.Field("Name"))),
	}
}

// Autopilot is how Autopilot is configured: with its defaults until somebody
// has changed them.
func (v *View) Autopilot() api.AutopilotConfiguration {
	if row := store.First[autopilot](v, TableAutopilot, "id", autopilotName); row != nil {
		return row.Config
	}
	config := api.NewAutopilotConfiguration()
	config.CreateIndex, config.ModifyIndex = 1, 1 // there from the beginning
	return config
}

// PutAutopilot configures Autopilot.
func (tx *Tx) PutAutopilot(config api.AutopilotConfiguration) {
	config.CreateIndex, config.ModifyIndex = tx.Autopilot().CreateIndex, tx.ChangeIndex()
	tx.Insert(TableAutopilot, &autopilot{Name: autopilotName, Config: config})
}

package state

import (
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableSchedulerConfiguration has one row, the configuration of the scheduler.
const TableSchedulerConfiguration = "scheduler_config"

// tableAutopilot has one row, the configuration of autopilot.
const tableAutopilot = "autopilot-config"

func configurationTables() store.Schema {
	return store.Schema{
		TableSchedulerConfiguration: store.Rows[api.SchedulerConfiguration](
			store.Unique("id", store.By(func(*api.SchedulerConfiguration) []string { return []string{""} }))),
		tableAutopilot: store.Rows[api.AutopilotConfiguration](
			store.Unique("id", store.By(func(*api.AutopilotConfiguration) []string { return []string{""} }))),
	}
}

// AutopilotConfiguration is how servers would be looked after. It is never nil after Seed.
func (v *View) AutopilotConfiguration() *api.AutopilotConfiguration {
	return store.First[api.AutopilotConfiguration](v.View, tableAutopilot, "id", "")
}

// UpsertAutopilotConfiguration writes the configuration, which becomes the row.
func (tx *Tx) UpsertAutopilotConfiguration(c *api.AutopilotConfiguration) {
	c.ModifyIndex = tx.ChangeIndex()
	if old := tx.AutopilotConfiguration(); old != nil {
		c.CreateIndex = old.CreateIndex
	} else {
		c.CreateIndex = c.ModifyIndex
	}
	tx.Insert(tableAutopilot, c)
}

// SchedulerConfiguration is how the scheduler is to work. It is never nil after Seed.
func (v *View) SchedulerConfiguration() *api.SchedulerConfiguration {
	return store.First[api.SchedulerConfiguration](v.View, TableSchedulerConfiguration, "id", "")
}

// UpsertSchedulerConfiguration writes the configuration, which becomes the row.
func (tx *Tx) UpsertSchedulerConfiguration(c *api.SchedulerConfiguration) {
	c.ModifyIndex = tx.ChangeIndex()
	if old := tx.SchedulerConfiguration(); old != nil {
		c.CreateIndex = old.CreateIndex
	} else {
		c.CreateIndex = c.ModifyIndex
	}
	tx.Insert(TableSchedulerConfiguration, c)
}

// Seed writes what every region begins with, where it is not there yet: the
// namespace and the node pools that are built in, and the scheduler's defaults.
func (s *Store) Seed() error {
	return s.Write(func(tx *Tx) error {
		tx.seed()
		return nil
	})
}

func (tx *Tx) seed() {
	if tx.Namespace(api.DefaultNamespace) == nil {
		tx.UpsertNamespace(&api.Namespace{Name: api.DefaultNamespace, Description: "Default shared namespace"})
	}
	if tx.NodePool(api.NodePoolAll) == nil {
		tx.UpsertNodePool(&api.NodePool{Name: api.NodePoolAll, Description: "Node pool with all nodes in the cluster."})
		tx.UpsertNodePool(&api.NodePool{Name: api.NodePoolDefault, Description: "Default node pool."})
	}
	if tx.SchedulerConfiguration() == nil {
		tx.UpsertSchedulerConfiguration(&api.SchedulerConfiguration{
			SchedulerAlgorithm: api.SchedulerAlgorithmBinpack,
			PreemptionConfig:   api.PreemptionConfig{SystemSchedulerEnabled: true},
		})
	}
	if tx.AutopilotConfiguration() == nil {
		tx.UpsertAutopilotConfiguration(&api.AutopilotConfiguration{
			CleanupDeadServers: true, LastContactThreshold: 200 * time.Millisecond, MaxTrailingLogs: 250,
			ServerStabilizationTime: 10 * time.Second,
		})
	}
}

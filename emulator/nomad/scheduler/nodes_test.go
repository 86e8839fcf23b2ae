package scheduler_test

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// at is the allocation that is to run on a node.
func (w *world) at(node int) *state.Allocation {
	for _, a := range w.wanted() {
		if a.NodeID == nodeID(node) {
			return a
		}
	}
	require.Fail(w.t, "nothing is to run on the node")
	return nil
}

// spread has the instances of a job on nodes of their own.
func spread(j *api.Job) {
	j.Constraints = append(j.Constraints, &api.Constraint{Operand: api.ConstraintDistinctHosts})
}

func disconnect(change func(*api.DisconnectStrategy)) func(*api.Job) {
	return func(j *api.Job) {
		s := &api.DisconnectStrategy{LostAfter: new(time.Minute)}
		change(s)
		j.TaskGroups[0].Disconnect = s
	}
}

func TestWhatWentDownWithItsNodeIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	w.settle(service(3, spread))
	lost := w.wanted()[1]
	w.write(func(tx *state.Tx) { tx.UpdateNode(tx.Node(lost.NodeID), down) })
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, api.DesiredUpdates{Ignore: 2, Place: 1, Stop: 1}, w.desired())
	old := w.store.View().Allocation(lost.ID)
	assert.Equal(t, []string{"stop", "lost", "alloc is lost since its node is down"},
		[]string{old.DesiredStatus, old.ClientStatus, old.DesiredDescription})
	assert.Equal(t, old.Name, w.wanted()[1].Name)
	assert.Equal(t, old.ID, w.wanted()[1].PreviousAllocation)
	assert.Nil(t, w.wanted()[1].RescheduleTracker)
}

func TestOnlyWhatIsMarkedLeavesADrainingNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	w.settle(service(3, spread))
	moved := w.wanted()[0]
	w.write(func(tx *state.Tx) { tx.UpdateNode(tx.Node(moved.NodeID), drain) })
	w.evaluate(scheduler.TriggerNodeDrain)
	assert.Equal(t, api.DesiredUpdates{Ignore: 3}, w.desired())
	w.migrate(moved)
	w.evaluate(scheduler.TriggerNodeDrain)
	assert.Equal(t, api.DesiredUpdates{Ignore: 2, Migrate: 1}, w.desired())
	assert.Equal(t, "alloc is being migrated", w.store.View().Allocation(moved.ID).DesiredDescription)
	assert.NotEqual(t, moved.NodeID, w.wanted()[0].NodeID)
}

func TestMigratingWithoutAPlaceIsStopping(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.register(newJob(api.JobTypeBatch, 1))
	w.run()
	w.update(w.wanted()[0], func(a *state.Allocation) {
		a.DesiredTransition.Migrate, a.DesiredTransition.MigrateDisablePlacement = new(true), new(true)
	})
	w.evaluate(scheduler.TriggerNodeDrain)
	assert.Equal(t, api.DesiredUpdates{Migrate: 1}, w.desired())
	assert.Empty(t, w.wanted())
}

func TestOutOfSightItIsWaitedForAndThenReplacedForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(2, spread, reschedule(constant(5*time.Minute)), disconnect(func(*api.DisconnectStrategy) {})))
	hidden := w.wanted()[0]
	w.write(func(tx *state.Tx) { tx.UpdateNode(tx.Node(hidden.NodeID), disconnected) })
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, api.DesiredUpdates{Disconnect: 1, Ignore: 2, RescheduleLater: 1}, w.desired())
	a := w.store.View().Allocation(hidden.ID)
	assert.Equal(t, []string{"run", "unknown", "alloc is unknown since its node is disconnected"},
		[]string{a.DesiredStatus, a.ClientStatus, a.ClientDescription})
	assert.Equal(t, w.now, a.LostSight())
	require.Len(t, w.last.Evaluations, 2)
	assert.Equal(t, []string{"max-disconnect-timeout", "created for delayed disconnect timeout"},
		[]string{w.last.Evaluations[0].TriggeredBy, w.last.Evaluations[0].StatusDescription})

	w.now = w.now.Add(time.Minute)
	w.due()
	assert.Equal(t, api.DesiredUpdates{Ignore: 1, Place: 1, Stop: 1}, w.desired())
	assert.Equal(t, api.AllocClientStatusLost, w.store.View().Allocation(hidden.ID).ClientStatus)
}

func TestWithoutDisconnectOutOfSightIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(2, spread))
	w.write(func(tx *state.Tx) { tx.UpdateNode(tx.Node(w.wanted()[0].NodeID), disconnected) })
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, api.DesiredUpdates{Ignore: 1, Place: 1, Stop: 1}, w.desired())
}

func TestWhoStoodInGoesOrStays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		strategy     string
		replace      bool
		keepsFirst   bool
		descriptions string
	}{
		{strategy: api.ReconcileOptionKeepOriginal, replace: true, keepsFirst: true, descriptions: "alloc not needed due to disconnected client reconnect"},
		{strategy: api.ReconcileOptionLongestRunning, replace: true, keepsFirst: true, descriptions: "alloc not needed due to disconnected client reconnect"},
		{strategy: api.ReconcileOptionKeepReplacement, replace: true, descriptions: "alloc not needed due to job update"},
		{strategy: api.ReconcileOptionBestScore, replace: false, keepsFirst: true},
	} {
		t.Run(test.strategy, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 3)
			w.settle(service(2, spread, reschedule(constant(5*time.Second)), disconnect(func(s *api.DisconnectStrategy) {
				s.Reconcile, s.Replace = &test.strategy, &test.replace
			})))
			first := w.wanted()[0]
			w.write(func(tx *state.Tx) { tx.UpdateNode(tx.Node(first.NodeID), disconnected) })
			w.evaluate(scheduler.TriggerNodeUpdate)
			w.now = w.now.Add(5 * time.Second)
			w.due()
			assert.Equal(t, test.replace, len(w.wanted()) == 3)
			w.run()

			w.write(func(tx *state.Tx) { tx.UpdateNode(tx.Node(first.NodeID), ready) })
			w.update(first, func(a *state.Allocation) {
				a.ClientStatus = api.AllocClientStatusRunning
				a.TaskStates = map[string]*api.TaskState{"t": {State: "running", StartedAt: w.now.Add(-time.Hour)}}
			})
			w.evaluate(scheduler.TriggerReconnect)
			require.Len(t, w.wanted(), 2)
			kept := w.store.View().Allocation(first.ID)
			assert.Equal(t, test.keepsFirst, !kept.ServerTerminal())
			if test.keepsFirst {
				assert.Zero(t, kept.LostSight())
				assert.Len(t, kept.AllocStates, 2)
			}
			for _, a := range w.allocations() {
				if a.ServerTerminal() {
					assert.Equal(t, test.descriptions, a.DesiredDescription)
				}
			}
			w.evaluate(scheduler.TriggerNodeUpdate)
			assert.Equal(t, api.DesiredUpdates{Ignore: 2}, w.desired())
		})
	}
}

func TestWhatItsNodeStopsIsReplacedAfterThat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(2, spread, disconnect(func(s *api.DisconnectStrategy) {
		s.LostAfter, s.StopOnClientAfter = nil, new(20*time.Second)
	})))
	w.write(func(tx *state.Tx) { tx.UpdateNode(tx.Node(w.wanted()[0].NodeID), down) })
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, api.DesiredUpdates{Ignore: 1, Stop: 1}, w.desired())
	require.Len(t, w.last.Evaluations, 1)
	next := w.last.Evaluations[0]
	assert.Equal(t, []string{"alloc-failure", "created for delayed rescheduling"}, []string{next.TriggeredBy, next.StatusDescription})
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, api.DesiredUpdates{Ignore: 1}, w.desired(), "not before")
	w.now = next.WaitUntil
	w.due()
	assert.Equal(t, api.DesiredUpdates{Ignore: 1, Place: 1}, w.desired())
}

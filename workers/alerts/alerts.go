// Package alerts is the worker that follows the market's quotes and publishes
// an alert for each crossing of a rule.
//
// Quotes are in partitions, and all quotes of a symbol are in one. Instances
// share the partitions out among themselves; each is followed by one instance
// at a time, which keeps the order of its quotes. What an owner does is decided
// by the stream and the rules alone, so that another one can go on where it
// ended, however it ended.
//
// After a crash at any point the alerts are those of a run without one:
//
//   - Evaluating quotes again from an earlier state gives the same alerts by
//     the same IDs, and the bus keeps one of each.
//   - An alert is published, and the bus has answered, before the state that
//     includes it is written. What a state includes has therefore been said.
//   - A state names the time of the quote it was taken after. Its rules wait
//     until the quotes have passed that time, so that a state may be newer than
//     the partition's position, and parts of one checkpoint may be missing.
//   - A rule without a written state has had no crossing that a written
//     position includes: states are written before the position.
//   - What lies before the position and is still looked back to is read again:
//     from the position called need, or from a saved window. Saved windows are
//     written after states and before the position, so that whatever they
//     cover was evaluated and is in the states.
//   - Every write names the revision that it follows. An owner that was deposed
//     without noticing can write no position any more; what else it may have
//     written is true, as it comes from the same stream.
//
// An alert continues the trace of the quote that fired it, while that one is
// among the last of its partition. The trace is beside the alert: the bus
// keeps the one that came first.
//
// Two things are not decided by the stream. With MaxAge, the clock decides
// what is too old to be told. And a rule that is changed or removed counts as
// soon as the worker learns of it; quotes of before that come later find it gone.
package alerts

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// Options configure the worker. Bus, Rules and States must be given.
type Options struct {
	Bus    cloud.Bus
	Rules  cloud.Records // contract.AlertsCollection
	States cloud.Records // contract.AlertStatesCollection

	// Name is this instance's alone, of printable text without "/". One that
	// comes back by the same name goes on at once with what it had; another name
	// has to wait for the lease to run out. Random when empty.
	Name string
	// MaxAge is how old a quote may be and still fire; zero is any age.
	MaxAge time.Duration
	// Lease is how long an instance that gives no sign of life keeps its
	// partitions, at least one second; 5 seconds when zero.
	Lease time.Duration
	// Checkpoint is the pause between two checkpoints of a partition: how much
	// is evaluated again after a crash. One second when zero.
	Checkpoint time.Duration
	// Publishing is how many alerts may be on their way to the bus at once; 64
	// when zero.
	Publishing int
	// Drain bounds the last checkpoints, after the context of Run has ended;
	// 10 seconds when zero.
	Drain time.Duration

	Logger  *slog.Logger // slog.Default() when nil
	Metrics *Metrics     // nil counts nothing
}

func (o Options) withDefaults() Options {
	o.Name = cmp.Or(o.Name, rand.Text())
	o.Lease = cmp.Or(o.Lease, 5*time.Second)
	o.Checkpoint = cmp.Or(o.Checkpoint, time.Second)
	o.Publishing = cmp.Or(o.Publishing, 64)
	o.Drain = cmp.Or(o.Drain, 10*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	return o
}

// Run follows its share of the partitions until the context ends, then writes
// the last checkpoints, gives the partitions back, and returns nil. It returns
// an error when the options are wrong; failures of the bus and the records are
// logged, and tried again.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	if o.Lease < time.Second {
		return fmt.Errorf("run alerts worker: a lease of %v is less than 1s", o.Lease)
	}
	w := &worker{Options: o, slots: make(chan struct{}, o.Publishing), running: map[int]*tenure{}}
	for i := range w.partitions {
		w.partitions[i] = newPartition(i, w)
	}
	w.loadRules(ctx)
	var group sync.WaitGroup
	group.Go(func() { w.watchRules(ctx) })
	w.share(ctx)
	group.Wait()
	return nil
}

// worker is one instance.
type worker struct {
	Options
	partitions [contract.QuotePartitions]*partition
	slots      chan struct{} // one for each alert on its way

	running  map[int]*tenure // by partition
	revision uint64          // of the member's record
}

// tenure is the time for which this instance owns a partition.
type tenure struct {
	stop  context.CancelFunc
	ended chan struct{}
}

func (t *tenure) over() bool {
	select {
	case <-t.ended:
		return true
	default:
		return false
	}
}

// share takes and gives back partitions as instances come and go.
func (w *worker) share(ctx context.Context) {
	ticker := time.NewTicker(w.Lease / 5)
	defer ticker.Stop()
	for ctx.Err() == nil {
		balancing, cancel := context.WithTimeout(ctx, w.Lease)
		err := w.balance(balancing, ctx)
		cancel()
		if err != nil && ctx.Err() == nil {
			w.Logger.Error("share the partitions", "instance", w.Name, "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	for _, t := range w.running {
		t.stop()
	}
	for _, t := range w.running {
		<-t.ended
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Drain)
	defer cancel()
	if err := w.States.Delete(leaving, memberKey(w.Name)); err != nil {
		w.Logger.Warn("leave", "instance", w.Name, "error", err)
	}
}

// balance makes this instance's share be what it should, as far as others have
// let go of it; life is the context of the tenures that it begins.
func (w *worker) balance(ctx, life context.Context) error {
	members, err := w.announce(ctx)
	if err != nil {
		return err
	}
	leases, err := w.leases(ctx)
	if err != nil {
		return err
	}
	for number, t := range w.running {
		if leases[number].Owner != w.Name {
			t.stop()
		}
		if t.over() {
			delete(w.running, number)
		}
	}
	spare := len(w.running) - quota(members, w.Name)
	for number := len(w.partitions) - 1; number >= 0 && spare > 0; number-- {
		if t := w.running[number]; t != nil {
			t.stop()
			spare--
		}
	}
	for number := 0; number < len(w.partitions) && spare < 0; number++ {
		held := leases[number]
		if w.running[number] != nil || held.Owner != w.Name && slices.Contains(members, held.Owner) {
			continue
		}
		if err := w.take(ctx, life, number, held); err != nil {
			return err
		}
		spare++
	}
	w.Metrics.partitions.Set(float64(len(w.running)))
	w.countRules()
	return nil
}

// quota is how many partitions an instance should have: the first ones by name
// have one more when they cannot be shared out evenly.
func quota(members []string, name string) int {
	share, rest := contract.QuotePartitions/len(members), contract.QuotePartitions%len(members)
	if slices.Index(members, name) < rest {
		share++
	}
	return share
}

// announce says that this instance lives, and returns all that do, sorted.
func (w *worker) announce(ctx context.Context) (members []string, err error) {
	revision, err := w.States.Put(ctx, memberKey(w.Name), nil, w.revision, w.Lease)
	if errors.Is(err, cloud.ErrConflict) || errors.Is(err, cloud.ErrExists) {
		revision, err = w.join(ctx)
	}
	if err != nil {
		return nil, err
	}
	w.revision = revision
	members = []string{w.Name}
	for record, err := range w.States.List(ctx, membersPrefix) {
		if err != nil {
			return nil, err
		}
		if name := record.Key[len(membersPrefix)+1:]; name != w.Name {
			members = append(members, name)
		}
	}
	slices.Sort(members)
	return members, nil
}

// join announces an instance whose record is another one than it knows: that
// of the time before it was started again, or one that has run out.
func (w *worker) join(ctx context.Context) (revision uint64, err error) {
	record, err := w.States.Get(ctx, memberKey(w.Name))
	if err != nil && !errors.Is(err, cloud.ErrNotFound) {
		return 0, err
	}
	return w.States.Put(ctx, memberKey(w.Name), nil, record.Revision, w.Lease)
}

// take makes this instance the owner of a partition, unless another one is
// faster, and follows it.
func (w *worker) take(ctx, life context.Context, number int, held lease) error {
	held.Owner = w.Name
	err := w.putLease(ctx, number, &held)
	if errors.Is(err, cloud.ErrConflict) || errors.Is(err, cloud.ErrExists) {
		return nil
	}
	if err != nil {
		return err
	}
	following, stop := context.WithCancel(life)
	t := &tenure{stop: stop, ended: make(chan struct{})}
	w.running[number] = t
	go func() {
		defer close(t.ended)
		defer stop()
		if err := w.partitions[number].follow(following, held); err != nil {
			w.Logger.Warn("partition lost", "instance", w.Name, "partition", number, "error", err)
		}
	}()
	return nil
}

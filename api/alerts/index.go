package alerts

import (
	"errors"
	"strings"
	"sync"
	"unique"

	"github.com/google/btree"

	"github.com/drydock/drydock/contract"
)

// index is what lists and counts need to know of every rule, in the order of
// lists: by owner, and the newest first.
type index struct {
	ready chan struct{} // closed once every rule has been read

	mu     sync.RWMutex
	rules  *btree.BTreeG[entry]
	counts map[string]int // of an owner's rules
	once   sync.Once
}

// entry is one rule. Its key is that of its record, "<owner>/<id>", and later
// ids come first in the order of their bytes.
type entry struct {
	key      string
	symbol   unique.Handle[string]
	kind     unique.Handle[string]
	paused   bool
	revision uint64
}

// degree is that of the tree; some dozens of entries beside each other cost
// the least memory.
const degree = 32

func newIndex() *index {
	return &index{
		ready:  make(chan struct{}),
		rules:  btree.NewG(degree, func(a, b entry) bool { return a.key < b.key }),
		counts: map[string]int{},
	}
}

// loaded says that every rule has been read.
func (x *index) loaded() { x.once.Do(func() { close(x.ready) }) }

// errNotLoaded: the service has not read all rules yet.
var errNotLoaded = errors.New("the rules are still being read")

// whole returns nil once every rule has been read, else errNotLoaded.
func (x *index) whole() error {
	select {
	case <-x.ready:
		return nil
	default:
		return errNotLoaded
	}
}

// knows tells whether a revision of a rule, or a later one, is indexed.
func (x *index) knows(key string, revision uint64) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	known, ok := x.rules.Get(entry{key: key})
	return ok && known.revision >= revision
}

// put indexes a rule, unless a later revision of it is indexed.
func (x *index) put(rule contract.Rule, revision uint64) {
	e := entry{
		key:      contract.RecordKey(rule.Owner, rule.ID),
		symbol:   unique.Make(rule.Symbol),
		kind:     unique.Make(rule.Condition.Kind),
		paused:   rule.Paused,
		revision: revision,
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	known, ok := x.rules.Get(e)
	if ok && known.revision >= revision {
		return
	}
	if !ok {
		x.counts[rule.Owner]++
	}
	x.rules.ReplaceOrInsert(e)
}

// remove takes a rule away, unless a later revision of it is indexed.
func (x *index) remove(key string, revision uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	known, ok := x.rules.Get(entry{key: key})
	if !ok || known.revision > revision {
		return
	}
	x.rules.Delete(known)
	owner, _, _ := strings.Cut(key, "/")
	if x.counts[owner]--; x.counts[owner] == 0 {
		delete(x.counts, owner)
	}
}

// count returns how many rules an owner has.
func (x *index) count(owner string) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.counts[owner]
}

// size returns how many rules there are.
func (x *index) size() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.rules.Len()
}

// page returns at most limit of the owner's entries that are wanted, those
// behind an id ("" for the first ones), and whether there are more.
func (x *index) page(owner, after string, limit int, wanted func(entry) bool) (entries []entry, more bool) {
	first, end := contract.RecordKey(owner, after), owner+"0" // the byte after the slash
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.rules.AscendRange(entry{key: first}, entry{key: end}, func(e entry) bool {
		if e.key == first || !wanted(e) {
			return true
		}
		if more = len(entries) == limit; !more {
			entries = append(entries, e)
		}
		return !more
	})
	return entries, more
}

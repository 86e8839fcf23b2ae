package s3

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/btree"
)

// entry is what a listing, a precondition and a request for a version need to
// know about one version of an object.
type entry struct {
	key      string
	etag     string
	class    string // storage class, "" for STANDARD
	size     int64
	modified time.Time
	// version is the id, "" for the null version. sequence orders the versions
	// of a key.
	version  string
	sequence int64
	// marker says that this version stands for the key's absence.
	marker bool
	// attributes may have changed since the version was written; nil is none.
	attributes *attributes
}

func entryOf(m *meta) entry {
	return entry{
		key: m.Key, etag: m.ETag, class: m.Headers[headerStorageClass], size: m.Size, modified: m.Modified,
		version: m.Version, sequence: m.Sequence, marker: m.Marker, attributes: m.Attributes.orNil(),
	}
}

func (e entry) storageClass() string {
	if e.class == "" {
		return standardClass
	}
	return e.class
}

// item is a key with all its versions: the newest, and the older ones in the
// order in which they came, so that a new version is appended.
type item struct {
	entry
	older []*entry
}

// at returns the place of a version among the older ones, or -1.
func (it *item) at(version string) int {
	for i := len(it.older) - 1; i >= 0; i-- {
		if it.older[i].version == version {
			return i
		}
	}
	return -1
}

// newestFirst numbers all versions, the current one being 0.
func (it *item) newestFirst() iter.Seq2[int, entry] {
	return func(yield func(int, entry) bool) {
		if !yield(0, it.entry) {
			return
		}
		for i := range it.older {
			if !yield(1+i, *it.older[len(it.older)-1-i]) {
				return
			}
		}
	}
}

// following returns the number of the version after the given one, 0 when there
// is no such version.
func (it *item) following(version string) int {
	if it.version == version {
		return 1
	}
	if i := it.at(version); i >= 0 {
		return len(it.older) - i + 1
	}
	return 0
}

// drop takes a version away; it returns false when none is left.
func (it *item) drop(version string) bool {
	if it.version != version {
		if i := it.at(version); i >= 0 {
			it.older = slices.Delete(it.older, i, i+1)
		}
		return true
	}
	n := len(it.older)
	if n == 0 {
		return false
	}
	it.entry = *it.older[n-1]
	it.older = slices.Delete(it.older, n-1, n)
	return true
}

// add puts a version where its sequence belongs.
func (it *item) add(e entry) {
	if e.sequence >= it.sequence {
		newest := it.entry
		it.older = append(it.older, &newest)
		it.entry = e
		return
	}
	i, _ := slices.BinarySearchFunc(it.older, e.sequence, func(o *entry, s int64) int { return cmp.Compare(o.sequence, s) })
	it.older = slices.Insert(it.older, i, &e)
}

// index keeps a bucket's versions, by the byte order of their keys.
type index struct {
	mu   sync.RWMutex
	tree *btree.BTreeG[item]
}

func newIndex() *index {
	return &index{tree: btree.NewG(64, func(a, b item) bool { return a.key < b.key })}
}

func (x *index) item(key string) (item, bool) { return x.tree.Get(item{entry: entry{key: key}}) }

// get returns the newest version of a key, and whether it is an object: not
// when there is none, nor when it is a delete marker.
func (x *index) get(key string) (e entry, exists bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	it, ok := x.item(key)
	return it.entry, ok && !it.marker
}

// version returns one version of a key, which may be a delete marker.
func (x *index) version(key, version string) (entry, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	it, ok := x.item(key)
	if !ok || it.version == version {
		return it.entry, ok
	}
	if i := it.at(version); i >= 0 {
		return *it.older[i], true
	}
	return entry{}, false
}

// key returns a key with all its versions.
func (x *index) key(key string) (item, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	it, ok := x.item(key)
	it.older = slices.Clone(it.older)
	return it, ok
}

// each visits up to limit keys that come after the given one, and returns the
// last of them, and whether there are more.
func (x *index) each(after string, limit int, visit func(it item)) (last string, more bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.tree.AscendGreaterOrEqual(item{entry: entry{key: after}}, func(it item) bool {
		switch {
		case it.key == after:
			return true
		case limit == 0:
			more = true
			return false
		}
		visit(it)
		limit--
		last = it.key
		return true
	})
	return last, more
}

// set adds a version, or replaces the one with the same id.
func (x *index) set(e entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	it, ok := x.item(e.key)
	switch {
	case !ok, !x.replaces(&it, e):
		it = item{entry: e}
	default:
		it.add(e)
	}
	x.tree.ReplaceOrInsert(it)
}

// replaces makes room for e in it; it returns false when e is all there is then.
// A version with an id of its own that is newer than all others is new.
func (x *index) replaces(it *item, e entry) bool {
	if e.version != "" && e.sequence > it.sequence {
		return true
	}
	return it.drop(e.version)
}

func (x *index) remove(key, version string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	it, ok := x.item(key)
	switch {
	case !ok:
	case it.drop(version):
		x.tree.ReplaceOrInsert(it)
	default:
		x.tree.Delete(it)
	}
}

// len is the number of keys that have a version, be it a delete marker.
func (x *index) len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.tree.Len()
}

// page is one page of a listing.
type page struct {
	objects   []entry
	prefixes  []string
	truncated bool
	next      string // the last key or common prefix of a truncated page
}

// list returns up to limit keys and common prefixes that come after the given
// one. It visits what it returns and the keys that are deleted: a common prefix
// is skipped in one step.
func (x *index) list(prefix, delimiter, after string, limit int) page {
	return x.listUnless(nil, prefix, delimiter, after, limit)
}

// listUnless is list without the objects that are hidden.
func (x *index) listUnless(hidden func(e entry) bool, prefix, delimiter, after string, limit int) page {
	var p page
	if limit <= 0 {
		return p
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.walk(prefix, delimiter, after, func(it item, common string) bool {
		if len(p.objects)+len(p.prefixes) == limit {
			p.truncated = true
			return false
		}
		if common != "" {
			p.prefixes, p.next = append(p.prefixes, common), common
		} else {
			p.objects, p.next = append(p.objects, it.entry), it.key
		}
		return true
	}, func(it item) bool { return !it.marker && it.key != after && (hidden == nil || !hidden(it.entry)) })
	if !p.truncated {
		p.next = ""
	}
	return p
}

// walk calls visit for each key that comes after the given one, or is the given
// one, and that wanted accepts; once for all keys with one common prefix. x.mu
// is held.
func (x *index) walk(prefix, delimiter, after string, visit func(it item, common string) bool, wanted func(it item) bool) {
	from := max(prefix, after)
	if common := commonPrefix(after, prefix, delimiter); common != "" && common == after {
		next, ok := successor(after)
		if !ok {
			return
		}
		from = next // after a common prefix comes what follows all of it
	}
	for more := true; more; {
		more = false
		x.tree.AscendGreaterOrEqual(item{entry: entry{key: from}}, func(it item) bool {
			if !strings.HasPrefix(it.key, prefix) {
				return false
			}
			if !wanted(it) {
				return true
			}
			common := commonPrefix(it.key, prefix, delimiter)
			if !visit(it, common) {
				return false
			}
			if common == "" {
				return true
			}
			from, more = successor(common)
			return false
		})
	}
}

// commonPrefix is key up to the first delimiter after prefix, "" without one.
func commonPrefix(key, prefix, delimiter string) string {
	rest, ok := strings.CutPrefix(key, prefix)
	if !ok || delimiter == "" {
		return ""
	}
	if i := strings.Index(rest, delimiter); i >= 0 {
		return key[:len(prefix)+i+len(delimiter)]
	}
	return ""
}

// successor returns the smallest string greater than every string that starts
// with s; there is none when s is all 0xFF.
func successor(s string) (string, bool) {
	b := []byte(s)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xFF {
			b[i]++
			return string(b[:i+1]), true
		}
	}
	return "", false
}

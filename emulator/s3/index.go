package s3

import (
	"strings"
	"sync"
	"time"

	"github.com/google/btree"
)

// entry is what a listing and a precondition need to know about an object.
type entry struct {
	key      string
	etag     string
	class    string // storage class, "" for STANDARD
	size     int64
	modified time.Time
}

func entryOf(m *meta) entry {
	return entry{key: m.Key, etag: m.ETag, class: m.Headers[headerStorageClass], size: m.Size, modified: m.Modified}
}

// index keeps a bucket's objects in the byte order of their keys.
type index struct {
	mu   sync.RWMutex
	tree *btree.BTreeG[entry]
}

func newIndex() *index {
	return &index{tree: btree.NewG(64, func(a, b entry) bool { return a.key < b.key })}
}

func (x *index) get(key string) (entry, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.tree.Get(entry{key: key})
}

func (x *index) set(e entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tree.ReplaceOrInsert(e)
}

func (x *index) remove(key string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tree.Delete(entry{key: key})
}

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
// one. It visits only what it returns: a common prefix is skipped in one step.
func (x *index) list(prefix, delimiter, after string, limit int) page {
	var p page
	if limit <= 0 {
		return p
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	from := max(prefix, after)
	if delimiter != "" && strings.HasPrefix(after, prefix) {
		// After a common prefix, or a key inside one, comes what follows it.
		if i := strings.Index(after[len(prefix):], delimiter); i >= 0 {
			cut := len(prefix) + i + len(delimiter)
			if after[cut:] == "" {
				next, ok := successor(after)
				if !ok {
					return p
				}
				from = next
			}
		}
	}
	for more := true; more; {
		more = false
		x.tree.AscendGreaterOrEqual(entry{key: from}, func(e entry) bool {
			if !strings.HasPrefix(e.key, prefix) {
				return false
			}
			if e.key == after {
				return true
			}
			common := ""
			if delimiter != "" {
				if i := strings.Index(e.key[len(prefix):], delimiter); i >= 0 {
					common = e.key[:len(prefix)+i+len(delimiter)]
				}
			}
			if len(p.objects)+len(p.prefixes) == limit {
				p.truncated = true
				return false
			}
			if common == "" {
				p.objects = append(p.objects, e)
				p.next = e.key
				return true
			}
			p.prefixes = append(p.prefixes, common)
			p.next = common
			from, more = successor(common)
			return false
		})
	}
	if !p.truncated {
		p.next = ""
	}
	return p
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

package rules

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"sort"
)

// What an engine keeps, and gives back to a later one, is of two kinds: the
// states of rules that are not as they began, and windows of symbols that have
// had no quote for long. Both are of one symbol, say of when they are, and can
// be given back in any order and more than once, together with older ones.

// Bounds of what is kept.
const (
	maxParts       = 256
	rulesPerPart   = 2048  // in the mean, so that a part is far below 256 KiB
	maxSavedWindow = 10000 // quotes
	format         = 1     // the first byte of everything kept
	stateSize      = len(identity{}) + 1 + 3*8
	tickSize       = 3 * 8
)

// Kept is something to keep: a value by a name that is its own within the symbol's.
type Kept struct {
	Symbol, Name string
	Value        []byte
}

// kept is a rule's state as it was after the quote of a time.
type kept struct {
	state          state
	changed, until int64
	asOf           int64
}

// part is the place of a rule among the parts that states are split in.
func (r *rule) part() int { return int(r.id[len(r.id)-1]) }

// States yields what has changed since it was last asked, as the engine has
// it now. Each value is for itself: keeping only some of them does no harm.
func (e *Engine) States() iter.Seq[Kept] {
	return func(yield func(Kept) bool) {
		for _, s := range e.symbols {
			if s.dirty == ([4]uint64{}) {
				continue
			}
			for _, k := range e.statesOf(s) {
				if !yield(k) {
					return
				}
			}
			s.dirty = [4]uint64{}
		}
	}
}

// statesOf writes the parts of a symbol's states that have changed. When their
// number grows all are written, over the ones that were.
func (e *Engine) statesOf(s *symbol) []Kept {
	parts := max(s.parts, 1)
	for parts < maxParts && len(s.rules) > parts*rulesPerPart {
		parts *= 2
	}
	all := parts != s.parts
	s.parts = parts
	values := make([][]byte, parts)
	for bit := range maxParts {
		if part := bit % parts; values[part] == nil && (all || s.dirty[bit/64]&(1<<(bit%64)) != 0) {
			values[part] = []byte{format}
		}
	}
	ahead := map[uint32]int64{} // rules whose kept state is not reached yet, or not passed
	for i, n := range s.restored.numbers {
		ahead[n] = s.restored.keys[i]
	}
	for _, n := range s.rules {
		r := e.rule(n)
		part := r.part() % parts
		if values[part] == nil || r.state&touched == 0 {
			continue
		}
		value := append(values[part], r.id[:]...)
		value = append(value, byte(r.state&moving))
		value = binary.BigEndian.AppendUint64(value, uint64(r.changed))
		value = binary.BigEndian.AppendUint64(value, uint64(r.until))
		asOf, ok := ahead[n]
		if !ok {
			asOf = s.window.last().time
		}
		values[part] = binary.BigEndian.AppendUint64(value, uint64(asOf))
	}
	var written []Kept
	for part, value := range values {
		if value != nil {
			written = append(written, Kept{Symbol: s.name, Name: fmt.Sprintf("%d-%d", parts, part), Value: value})
		}
	}
	return written
}

// Restore gives back what States yielded, to an engine that is behind.
func (e *Engine) Restore(value []byte) error {
	if len(value) < 1 || value[0] != format || (len(value)-1)%stateSize != 0 {
		return fmt.Errorf("restore states: %d bytes that begin with %x are not of this format", len(value), value[:min(len(value), 1)])
	}
	for value = value[1:]; len(value) > 0; value = value[stateSize:] {
		id := identity(value)
		rest := value[len(id):]
		k := kept{
			state:   state(rest[0]) & moving,
			changed: int64(binary.BigEndian.Uint64(rest[1:])),
			until:   int64(binary.BigEndian.Uint64(rest[9:])),
			asOf:    int64(binary.BigEndian.Uint64(rest[17:])),
		}
		if old, ok := e.kept[id]; !ok || k.changed > old.changed || k.changed == old.changed && k.asOf > old.asOf {
			e.kept[id] = k
		}
	}
	return nil
}

// Need is the least position that has to be given to Replay when what was kept
// is given back; next when there is none.
func (e *Engine) Need(next uint64) uint64 {
	for _, s := range e.symbols {
		if t, ok := s.unsaved(); ok {
			next = min(next, t.position)
		}
	}
	return next
}

// unsaved is the oldest quote of the window that was not saved.
func (s *symbol) unsaved() (tick, bool) {
	if s.window.empty() || s.window.last().position <= s.saved {
		return tick{}, false
	}
	kept := s.window.ticks[s.window.head:]
	return kept[sort.Search(len(kept), func(i int) bool { return kept[i].position > s.saved })], true
}

// Windows yields those of the symbols that have had no quote since a position
// and that Need has to name still, which it need not once they are kept. One
// that is too long to keep is left out.
func (e *Engine) Windows(before uint64) iter.Seq[Kept] {
	return func(yield func(Kept) bool) {
		for _, s := range e.symbols {
			if _, ok := s.unsaved(); !ok || s.window.last().position >= before || s.window.end()-s.window.first() > maxSavedWindow {
				continue
			}
			s.saved = s.window.last().position
			if !yield(Kept{Symbol: s.name, Value: s.window.encode()}) {
				return
			}
		}
	}
}

func (w *window) encode() []byte {
	value := binary.BigEndian.AppendUint64([]byte{format}, w.last().position)
	for _, t := range w.ticks[w.head:] {
		value = binary.BigEndian.AppendUint64(value, uint64(t.time))
		value = binary.BigEndian.AppendUint64(value, math.Float64bits(t.price))
		value = binary.BigEndian.AppendUint64(value, math.Float64bits(t.volume))
	}
	return value
}

// RestoreWindow gives back what Windows yielded, to an engine that is behind
// and has seen no quote of the symbol.
func (e *Engine) RestoreWindow(symbol string, value []byte) error {
	if len(value) < 9 || value[0] != format || (len(value)-9)%tickSize != 0 {
		return fmt.Errorf("restore the window of %s: %d bytes that begin with %x are not of this format", symbol, len(value), value[:min(len(value), 1)])
	}
	s := e.symbolOf(symbol)
	s.saved = binary.BigEndian.Uint64(value[1:])
	for value = value[9:]; len(value) > 0; value = value[tickSize:] {
		s.window.add(tick{
			time:     int64(binary.BigEndian.Uint64(value)),
			price:    math.Float64frombits(binary.BigEndian.Uint64(value[8:])),
			volume:   math.Float64frombits(binary.BigEndian.Uint64(value[16:])),
			position: s.saved,
		})
	}
	return nil
}

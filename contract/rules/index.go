package rules

import "encoding/binary"

// index finds the numbers of rules by their identities. It keeps the numbers
// alone: a map, which keeps the identities too, takes five times as much.
type index struct {
	identity func(number uint32) identity
	slots    []uint32 // number + 1; 0 where it is free
	count    int
}

const leastIndex = 8 // slots; always a power of two

// slot is where an identity is, or where it belongs.
func (x *index) slot(id identity) int {
	i := x.home(id)
	for x.slots[i] != 0 && x.identity(x.slots[i]-1) != id {
		i = x.after(i)
	}
	return i
}

// home is where the search for an identity begins. Its last bytes are random.
func (x *index) home(id identity) int {
	return int(binary.LittleEndian.Uint64(id[len(id)-8:]) & uint64(len(x.slots)-1))
}

func (x *index) after(slot int) int { return (slot + 1) & (len(x.slots) - 1) }

func (x *index) find(id identity) (number uint32, ok bool) {
	if x.count == 0 {
		return 0, false
	}
	found := x.slots[x.slot(id)]
	return found - 1, found != 0
}

// add takes the number of a rule that is not in it yet.
func (x *index) add(number uint32) {
	if 4*(x.count+1) > 3*len(x.slots) {
		old := x.slots
		x.slots = make([]uint32, max(leastIndex, 2*len(old)))
		for _, held := range old {
			if held != 0 {
				x.slots[x.slot(x.identity(held-1))] = held
			}
		}
	}
	x.slots[x.slot(x.identity(number))] = number + 1
	x.count++
}

// remove takes out an identity that is in it, and moves up those behind it
// that could not be found any more.
func (x *index) remove(id identity) {
	free := x.slot(id)
	x.slots[free] = 0
	x.count--
	for i := x.after(free); x.slots[i] != 0; i = x.after(i) {
		home := x.home(x.identity(x.slots[i] - 1))
		mask := len(x.slots) - 1
		if (i-home)&mask >= (i-free)&mask {
			x.slots[free], x.slots[i] = x.slots[i], 0
			free = i
		}
	}
}

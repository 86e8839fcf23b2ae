package rules

import "cmp"

// heap holds numbers of rules by a key, the least first. Keys and numbers are
// kept apart because together they would be padded by a third.
type heap[K cmp.Ordered] struct {
	keys    []K
	numbers []uint32
}

// reaches tells whether the least key is at most the given one.
func (h *heap[K]) reaches(key K) bool { return len(h.keys) > 0 && h.keys[0] <= key }

func (h *heap[K]) push(key K, number uint32) {
	h.keys, h.numbers = append(h.keys, key), append(h.numbers, number)
	h.up(len(h.keys) - 1)
}

// pop removes the number with the least key.
func (h *heap[K]) pop() uint32 {
	number := h.numbers[0]
	h.removeAt(0)
	return number
}

// remove takes a number out, wherever it is; one that is not in it is no error.
func (h *heap[K]) remove(number uint32) {
	for i, n := range h.numbers {
		if n == number {
			h.removeAt(i)
			return
		}
	}
}

func (h *heap[K]) removeAt(i int) {
	last := len(h.keys) - 1
	h.swap(i, last)
	h.keys, h.numbers = h.keys[:last], h.numbers[:last]
	if i < last {
		h.down(i)
		h.up(i)
	}
	if held := cap(h.keys); held > leastHeap && last < held/4 {
		h.keys = append(make([]K, 0, held/2), h.keys...)
		h.numbers = append(make([]uint32, 0, held/2), h.numbers...)
	}
}

// leastHeap is the room that a heap keeps once it had it.
const leastHeap = 8

func (h *heap[K]) swap(i, j int) {
	h.keys[i], h.keys[j] = h.keys[j], h.keys[i]
	h.numbers[i], h.numbers[j] = h.numbers[j], h.numbers[i]
}

func (h *heap[K]) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if h.keys[parent] <= h.keys[i] {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *heap[K]) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.keys); child++ {
			if h.keys[child] < h.keys[least] {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

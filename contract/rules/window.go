package rules

import (
	"math"
	"math/bits"
	"sort"
)

// tick is one quote of a symbol's window.
type tick struct {
	time          int64 // Unix nanoseconds
	price, volume float64
	// sum is all volume up to and with this one, in units of volumeUnit. Whole
	// numbers add up to the same wherever the adding began, so that a window
	// which was read again gives the very same mean.
	sumHigh, sumLow uint64
	position        uint64 // in the stream
}

const (
	volumeUnit = 1.0 / (1 << 32)
	maxVolume  = 1 << 90 // what is more counts as this in a mean
)

// window holds a symbol's last quotes in the order of their times. Each has a
// number that stays the same while older ones go.
type window struct {
	ticks []tick
	head  int // those before it are gone
	base  int // number of ticks[0]
}

func (w *window) first() int          { return w.base + w.head }
func (w *window) end() int            { return w.base + len(w.ticks) }
func (w *window) at(number int) *tick { return &w.ticks[number-w.base] }
func (w *window) empty() bool         { return w.head == len(w.ticks) }
func (w *window) last() *tick         { return &w.ticks[len(w.ticks)-1] }

// add appends a quote that is later than the last.
func (w *window) add(t tick) {
	var before tick
	if !w.empty() {
		before = *w.last()
	}
	high, low := units(t.volume)
	var carry uint64
	t.sumLow, carry = bits.Add64(before.sumLow, low, 0)
	t.sumHigh, _ = bits.Add64(before.sumHigh, high, carry)
	if len(w.ticks) == cap(w.ticks) {
		w.makeRoom()
	}
	w.ticks = append(w.ticks, t)
}

// makeRoom takes the room of those that are gone where they are an eighth, and
// else a quarter more.
func (w *window) makeRoom() {
	kept := w.ticks[w.head:]
	into := w.ticks[:0]
	if w.head*8 < len(w.ticks) || w.head == 0 {
		into = make([]tick, 0, len(kept)+len(kept)/4+1)
	}
	w.ticks = append(into, kept...)
	w.base += w.head
	w.head = 0
}

// trim forgets the quotes before the last one that is at or before the horizon.
func (w *window) trim(horizon int64) {
	for w.head+1 < len(w.ticks) && w.ticks[w.head+1].time <= horizon {
		w.head++
	}
}

// lastAt finds the last quote at or before a time.
func (w *window) lastAt(time int64) (number int, ok bool) {
	kept := w.ticks[w.head:]
	i := sort.Search(len(kept), func(i int) bool { return kept[i].time > time })
	return w.first() + i - 1, i > 0
}

// meanVolume is that of the quotes between two; zero when there is none.
func (w *window) meanVolume(after, before int) float64 {
	count := before - 1 - after
	if count <= 0 {
		return 0
	}
	from, to := w.at(after), w.at(before-1)
	low, borrow := bits.Sub64(to.sumLow, from.sumLow, 0)
	high, _ := bits.Sub64(to.sumHigh, from.sumHigh, borrow)
	return (float64(high)*(1<<64) + float64(low)) * volumeUnit / float64(count)
}

// units writes a volume as a number of 128 bits.
func units(volume float64) (high, low uint64) {
	scaled := math.Floor(min(volume, maxVolume) / volumeUnit)
	high = uint64(scaled / (1 << 64))
	return high, uint64(scaled - float64(high)*(1<<64))
}

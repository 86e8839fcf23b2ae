package market

import (
	"sort"
	"time"
)

// row is a recorded quote.
type row struct {
	at     time.Time
	price  float64
	volume float64
	line   int // of its file
}

// recorded is a series that was read from files, by time.
type recorded []moment

// moment is a row as it is replayed.
type moment struct {
	at     int64
	price  float64
	volume float64
}

// replay maps rows, by time, so that what was recorded at from is played at start.
func replay(rows []row, from, start time.Time, speed float64) recorded {
	moments := make(recorded, len(rows))
	before := int64(0)
	for i, r := range rows {
		at := nanoseconds(start.Add(scaled(r.at.Sub(from), speed)))
		at = max(at, before+1) // at a high speed, neighbours can meet
		moments[i] = moment{at: at, price: r.price, volume: r.volume}
		before = at
	}
	return moments
}

// scaled is a duration at a speed; the longest there is when it does not fit.
func scaled(d time.Duration, speed float64) time.Duration {
	const longest = 250 * float64(year)
	return time.Duration(min(max(float64(d)/speed, -longest), longest))
}

// until counts the moments up to a time.
func (r recorded) until(at int64) int {
	return sort.Search(len(r), func(i int) bool { return r[i].at > at })
}

func (r recorded) next(after int64) (int64, bool) {
	if i := r.until(after); i < len(r) {
		return r[i].at, true
	}
	return 0, false
}

func (r recorded) last(until int64) (int64, bool) {
	if i := r.until(until); i > 0 {
		return r[i-1].at, true
	}
	return 0, false
}

// price is that of the last moment; before the first it is the first one's.
func (r recorded) price(at int64) float64 { return r[max(r.until(at)-1, 0)].price }

func (r recorded) volume(after, until int64) float64 {
	var sum float64
	for _, m := range r[r.until(after):r.until(until)] {
		sum += m.volume
	}
	return sum
}

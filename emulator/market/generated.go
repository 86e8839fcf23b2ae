package market

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"
)

// series are the quotes of a symbol before any event. Times are nanoseconds
// since 1970. It is safe for concurrent use.
type series interface {
	// next is the time of the first quote after a time.
	next(after int64) (int64, bool)
	// last is the time of the last quote up to a time.
	last(until int64) (int64, bool)
	// price is the one at a time, not rounded; between quotes it may be
	// anything between their prices.
	price(at int64) float64
	// volume is what is traded by the quotes after a time and up to another.
	volume(after, until int64) float64
}

const (
	day  = int64(24 * time.Hour)
	year = 365 * day

	// priceOctaves of noise, each with twice the period of the one before, go
	// from a second to a year.
	priceOctaves = 26

	// swing is how far the volume of the busiest and the quietest moment of a
	// day are from the mean, and quietest is when that is, in days UTC.
	swing    = 0.7
	quietest = 3.0 / 24
)

// volumeOctaves are noise in the volume. Its rate changes by up to 1.5 times
// the weights together: as long as that is less than 1, the volume is positive.
var volumeOctaves = []struct {
	period time.Duration
	weight float64
}{
	{2 * time.Second, 0.25},
	{time.Minute, 0.12},
	{15 * time.Minute, 0.1},
	{4 * time.Hour, 0.08},
	{5 * 24 * time.Hour, 0.08},
}

// generated is a made-up company's series: a quote at each multiple of the step.
type generated struct {
	company
	step int64
	key  uint64 // of its noise
}

func newGenerated(seed uint64, step time.Duration, c company) *generated {
	hash := fnv.New64a()
	hash.Write(binary.LittleEndian.AppendUint64(nil, seed))
	hash.Write([]byte(c.symbol))
	return &generated{company: c, step: int64(step), key: hash.Sum64()}
}

func (g *generated) next(after int64) (int64, bool) { return (after/g.step + 1) * g.step, true }

func (g *generated) last(until int64) (int64, bool) { return until / g.step * g.step, until >= g.step }

// price adds octaves of noise whose size grows with the root of their period,
// as the movements of a real price do.
func (g *generated) price(at int64) float64 {
	var logarithm float64
	period := float64(time.Second)
	for octave := range uint64(priceOctaves) {
		size := g.volatility * math.Sqrt(period/float64(year))
		logarithm += float64(size * (2*noise(g.key+octave, float64(at)/period) - 1))
		period *= 2
	}
	return g.company.price * math.Exp(logarithm)
}

func (g *generated) volume(after, until int64) float64 {
	return float64(g.traded(until/g.step) - g.traded(after/g.step))
}

// traded is the volume of all steps from 1970 up to one: the sum of a span
// is then a difference, however long it is. Each step trades one at least.
func (g *generated) traded(step int64) int64 {
	at := step * g.step
	// Days of trading go by faster where the day is busier.
	phase := 2 * math.Pi * (float64(at%day)/float64(day) - quietest)
	days := float64(at)/float64(day) - swing*math.Sin(phase)/(2*math.Pi)
	total := days
	for i, octave := range volumeOctaves {
		period := float64(octave.period) / float64(day)
		total += float64(octave.weight * period * noise(g.key+priceOctaves+uint64(i), days/period))
	}
	return int64(g.daily*total) + step
}

// noise is a smooth curve through random points between 0 and 1, one at each
// whole number.
func noise(key uint64, x float64) float64 {
	whole := math.Floor(x)
	left, right := random(key, int64(whole)), random(key, int64(whole)+1)
	part := x - whole
	return left + (right-left)*part*part*(3-2*part)
}

// random is a number from 0 up to 1 that the key and the index decide.
func random(key uint64, index int64) float64 {
	var source rand.PCG
	source.Seed(key, uint64(index))
	return float64(source.Uint64()>>11) / (1 << 53)
}

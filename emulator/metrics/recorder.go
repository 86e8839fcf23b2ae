package metrics

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Recorder brings together what happens in each interval, and since it was
// made. The zero value is ready; its methods may be called from any goroutine.
type Recorder struct {
	mu            sync.Mutex
	began         time.Time // of the interval
	current, last samples
	all           samples
}

// samples are what is brought together, by name and labels.
type samples map[string]*sample

// sample sums up values.
type sample struct {
	name             string
	labels           map[string]string
	counter          bool
	count            int
	sum, squares     float64
	minimum, maximum float64
}

// Count counts that something has happened.
func (r *Recorder) Count(name string, labels map[string]string) { r.add(name, labels, true, 1) }

// Measure adds how long something took, which is told in milliseconds.
func (r *Recorder) Measure(name string, labels map[string]string, took time.Duration) {
	r.add(name, labels, false, float64(took)/float64(time.Millisecond))
}

func (r *Recorder) add(name string, labels map[string]string, counter bool, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(time.Now())
	if r.all == nil {
		r.all = samples{}
	}
	one := sample{name: name, labels: labels, counter: counter, minimum: math.Inf(1), maximum: math.Inf(-1)}
	key := keyOf(name, labels)
	for _, into := range []samples{r.current, r.all} {
		if into[key] == nil {
			fresh := one
			into[key] = &fresh
		}
		into[key].add(value)
	}
}

func (s *sample) add(value float64) {
	s.count++
	s.sum += value
	s.squares += value * value
	s.minimum, s.maximum = min(s.minimum, value), max(s.maximum, value)
}

// keyOf is the same for the same name and labels alone.
func keyOf(name string, labels map[string]string) string {
	parts := []string{name}
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, label, labels[label])
	}
	return strings.Join(parts, "\x00")
}

// turn begins a new interval when the one under way is over.
func (r *Recorder) turn(now time.Time) {
	since := now.Sub(r.began)
	if since < Interval && r.current != nil {
		return
	}
	r.last = r.current
	if since >= 2*Interval {
		r.last = nil
	}
	r.current = samples{}
	r.began = now.Truncate(Interval)
}

// read puts into a summary what the last interval has measured or, in the
// first, the one under way.
func (r *Recorder) read(into *Summary, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(now)
	from := r.last
	if from == nil {
		from = r.current
	}
	into.Counters, into.Samples = from.sampled()
	into.counted, into.measured = r.all.sampled()
}

// sampled are the counters and the others, by name.
func (s samples) sampled() (counters, others []Sampled) {
	counters, others = []Sampled{}, []Sampled{}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if of := s[key]; of.counter {
			counters = append(counters, of.sampled())
		} else {
			others = append(others, of.sampled())
		}
	}
	return counters, others
}

func (s *sample) sampled() Sampled {
	labels := s.labels
	if labels == nil {
		labels = map[string]string{}
	}
	return Sampled{
		Name: s.name, Count: s.count, Rate: s.sum / Interval.Seconds(), Sum: s.sum, Min: s.minimum, Max: s.maximum,
		Mean: s.sum / float64(s.count), Stddev: s.deviation(), Labels: labels,
	}
}

// deviation is the standard deviation.
func (s *sample) deviation() float64 {
	n := float64(s.count)
	if n < 2 {
		return 0
	}
	return math.Sqrt(max(0, n*s.squares-s.sum*s.sum) / (n * (n - 1)))
}

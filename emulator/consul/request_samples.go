package consul

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// sampleInterval is how long requests are measured together.
const sampleInterval = 10 * time.Second

// requestSamples measures how long requests take, by method and route. Its
// methods may be called from any goroutine.
type requestSamples struct {
	mu            sync.Mutex
	began         time.Time // of the interval
	current, last map[sampleKey]*sample
}

type sampleKey struct{ method, path string }

// sample sums up times in milliseconds.
type sample struct {
	count            int
	sum, squares     float64
	minimum, maximum float64
}

// sampled is a sample in the shape of Consul's metrics library.
type sampled struct {
	Name   string
	Count  int
	Rate   float64 // sum per second
	Sum    float64
	Min    float64
	Max    float64
	Mean   float64
	Stddev float64
	Labels map[string]string
}

// add measures a request that a route with the path has answered.
func (s *requestSamples) add(method, path string, took time.Duration) {
	milliseconds := float64(took) / float64(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(time.Now())
	key := sampleKey{method, path}
	of := s.current[key]
	if of == nil {
		of = &sample{minimum: math.Inf(1)}
		s.current[key] = of
	}
	of.count++
	of.sum += milliseconds
	of.squares += milliseconds * milliseconds
	of.minimum, of.maximum = min(of.minimum, milliseconds), max(of.maximum, milliseconds)
}

// turn begins a new interval when the one under way is over.
func (s *requestSamples) turn(now time.Time) {
	since := now.Sub(s.began)
	if since < sampleInterval && s.current != nil {
		return
	}
	s.last = s.current
	if since >= 2*sampleInterval {
		s.last = nil
	}
	s.current = map[sampleKey]*sample{}
	s.began = now.Truncate(sampleInterval)
}

// finished is what the last interval has measured or, in the first, the one under way.
func (s *requestSamples) finished() []sampled {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(time.Now())
	from := s.last
	if from == nil {
		from = s.current
	}
	list := []sampled{}
	for key, of := range from {
		n := float64(of.count)
		list = append(list, sampled{
			Name: "consul.api.http", Count: of.count, Rate: of.sum / sampleInterval.Seconds(), Sum: of.sum, Min: of.minimum, Max: of.maximum,
			Mean: of.sum / n, Stddev: of.deviation(), Labels: map[string]string{"method": key.method, "path": sampleName(key.path)},
		})
	}
	slices.SortFunc(list, func(a, b sampled) int {
		return cmp.Or(cmp.Compare(a.Labels["method"], b.Labels["method"]), cmp.Compare(a.Labels["path"], b.Labels["path"]))
	})
	return list
}

// sampleName is a route's path as metrics have it: without what varies.
func sampleName(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, part := range parts {
		if isName(part) {
			parts[i] = ""
		}
	}
	return strings.Join(parts, "_")
}

// deviation is the standard deviation.
func (s *sample) deviation() float64 {
	n := float64(s.count)
	if n < 2 {
		return 0
	}
	return math.Sqrt(max(0, n*s.squares-s.sum*s.sum) / (n * (n - 1)))
}

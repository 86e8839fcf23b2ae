package rules

import (
	"crypto/sha256"
	"encoding/base32"
	"math"
	"time"
	"unique"

	"github.com/drydock/drydock/contract"
)

// identity is a rule's ID in its raw form, or the hash of one that has another form.
type identity [15]byte

var identifiers = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// identify returns the identity of an ID; plain tells that the ID can be made from it.
func identify(id string) (raw identity, plain bool) {
	if len(id) == identifiers.EncodedLen(len(raw)) {
		if n, err := identifiers.Decode(raw[:], []byte(id)); err == nil && n == len(raw) {
			return raw, true
		}
	}
	hash := sha256.Sum256([]byte(id))
	copy(raw[:], hash[:])
	return raw, false
}

// state says what a rule waits for, and what it is that does not change.
type state uint8

const (
	rises   state = 1 << iota // waits for the value to be at its rise or over it
	falls                     // waits for the value to be at its fall or under it
	done                      // has fired, and does not repeat
	touched                   // is not as it began, so that it has to be kept

	repeats  // the rest is the rule's own
	upward   // fires on a rise
	downward // fires on a fall

	moving = rises | falls | done | touched
)

// rule is a contract.Rule without what only the mailer needs. There are many:
// it is kept small, and mostly free of pointers.
type rule struct {
	id                identity
	state             state
	level, hysteresis float64
	changed, expires  int64 // Unix nanoseconds
	until             int64 // end of the cool-down
	owner             unique.Handle[string]
	active            unique.Handle[contract.Span] // zero: always
	series            uint32
	coolDown          uint32 // seconds
}

// fresh is what an active rule waits for to begin with. One that fires both
// ways waits for either: it has to be on a side first.
func (r *rule) fresh() state {
	var s state
	if r.state&upward != 0 {
		s |= rises
	}
	if r.state&downward != 0 {
		s |= falls
	}
	return s
}

// rise is the least value that ends the rule's wait for a rise, and fall the
// greatest that ends its wait for a fall. The one that fires an upward or a
// downward rule is the level itself; the other one is the hysteresis away
// from it, and never the level. For a rule of both ways both are.
func (r *rule) rise() float64 {
	if r.state&downward == 0 {
		return r.level
	}
	return max(r.level+r.hysteresis, math.Nextafter(r.level, math.Inf(1)))
}

func (r *rule) fall() float64 {
	if r.state&upward == 0 {
		return r.level
	}
	return min(r.level-r.hysteresis, math.Nextafter(r.level, math.Inf(-1)))
}

// cross takes the rule to the other side. It tells whether that is what the
// rule waits for to fire; when it is the first side that a rule of both ways
// sees, it is not.
func (r *rule) cross(rising bool) (met bool) {
	undecided := r.state&(rises|falls) == rises|falls
	fires, next := downward, rises
	if rising {
		fires, next = upward, falls
	}
	r.state = r.state&^(rises|falls) | next | touched
	return r.state&fires != 0 && !undecided
}

// mayFire tells whether a crossing at that time is more than unseen.
func (r *rule) mayFire(at int64, maxAge time.Duration) bool {
	switch {
	case at < r.until, at >= r.expires:
		return false
	case r.active != unique.Handle[contract.Span]{} && !r.active.Value().Contains(time.Unix(0, at)):
		return false
	}
	return maxAge == 0 || time.Since(time.Unix(0, at)) <= maxAge
}

// fired notes an alert.
func (r *rule) fired(at int64) {
	if r.state&repeats == 0 {
		r.state = r.state&^(rises|falls) | done
		return
	}
	r.until = at + int64(r.coolDown)*int64(time.Second)
}

// nanoseconds is a time as Unix nanoseconds, those out of their range at its ends.
func nanoseconds(at time.Time) int64 {
	switch {
	case at.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case at.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return at.UnixNano()
}

package iam

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is one operator on one key of a request.
type condition struct {
	key     string // in lower case
	test    func(value, want string) bool
	negated bool // holds when test does for none of the values
	all     bool // ForAllValues: each of the request's values
	each    bool // ForAnyValue: one of the request's values
	absent  bool // …IfExists: holds when the request has no value
	null    bool // asks whether the request has a value
	want    []string
}

// holds tells whether a request meets the condition.
func (c condition) holds(r Request) bool {
	have := r.value(c.key)
	if c.null {
		return slices.Contains(c.want, strconv.FormatBool(len(have) == 0))
	}
	if len(have) == 0 {
		return c.absent || c.all || c.negated && !c.each
	}
	wanted := make([]string, 0, len(c.want))
	for _, w := range c.want {
		if w, ok := substitute(w, r); ok {
			wanted = append(wanted, w)
		}
	}
	meets := func(value string) bool {
		return slices.ContainsFunc(wanted, func(w string) bool { return c.test(value, w) }) != c.negated
	}
	if c.all || c.negated && !c.each {
		return !slices.ContainsFunc(have, func(v string) bool { return !meets(v) })
	}
	return slices.ContainsFunc(have, meets)
}

// operator is how a condition compares, and what it may be compared with.
type operator struct {
	test    func(value, want string) bool
	valid   func(want string) bool
	negated bool
}

// operators are all but Null, by their names without qualifiers.
func operators() map[string]operator {
	text := func(string) bool { return true }
	equal := func(a, b string) bool { return a == b }
	like := func(value, want string) bool { return match(want, value) }
	number := func(holds func(order int) bool) operator {
		return operator{test: comparing(readNumber, func(a, b float64) int {
			switch {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		}, holds), valid: readable(readNumber)}
	}
	date := func(holds func(order int) bool) operator {
		return operator{test: comparing(readDate, time.Time.Compare, holds), valid: readable(readDate)}
	}
	negated := func(o operator) operator {
		o.negated = true
		return o
	}
	eq := func(order int) bool { return order == 0 }
	lt := func(order int) bool { return order < 0 }
	le := func(order int) bool { return order <= 0 }
	gt := func(order int) bool { return order > 0 }
	ge := func(order int) bool { return order >= 0 }
	address := operator{test: inNetwork, valid: readable(readNetwork)}
	return map[string]operator{
		"StringEquals":              {test: equal, valid: text},
		"StringNotEquals":           {test: equal, valid: text, negated: true},
		"StringEqualsIgnoreCase":    {test: strings.EqualFold, valid: text},
		"StringNotEqualsIgnoreCase": {test: strings.EqualFold, valid: text, negated: true},
		"StringLike":                {test: like, valid: text},
		"StringNotLike":             {test: like, valid: text, negated: true},
		"ArnEquals":                 {test: like, valid: text},
		"ArnLike":                   {test: like, valid: text},
		"ArnNotEquals":              {test: like, valid: text, negated: true},
		"ArnNotLike":                {test: like, valid: text, negated: true},
		"BinaryEquals":              {test: sameBinary, valid: readable(base64.StdEncoding.DecodeString)},
		"Bool":                      {test: strings.EqualFold, valid: readable(strconv.ParseBool)},
		"IpAddress":                 address,
		"NotIpAddress":              negated(address),
		"NumericEquals":             number(eq),
		"NumericNotEquals":          negated(number(eq)),
		"NumericLessThan":           number(lt),
		"NumericLessThanEquals":     number(le),
		"NumericGreaterThan":        number(gt),
		"NumericGreaterThanEquals":  number(ge),
		"DateEquals":                date(eq),
		"DateNotEquals":             negated(date(eq)),
		"DateLessThan":              date(lt),
		"DateLessThanEquals":        date(le),
		"DateGreaterThan":           date(gt),
		"DateGreaterThanEquals":     date(ge),
	}
}

// comparing reads both sides; what cannot be read compares to nothing.
func comparing[T any](read func(string) (T, error), compare func(a, b T) int, holds func(order int) bool) func(value, want string) bool {
	return func(value, want string) bool {
		a, err1 := read(value)
		b, err2 := read(want)
		return err1 == nil && err2 == nil && holds(compare(a, b))
	}
}

func readable[T any](read func(string) (T, error)) func(string) bool {
	return func(s string) bool {
		_, err := read(s)
		return err == nil
	}
}

func readNumber(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

// readDate reads RFC 3339, a bare day, or seconds since the epoch.
func readDate(s string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return day, nil
	}
	return time.Parse(time.RFC3339, s)
}

// readNetwork reads a CIDR or a single address.
func readNetwork(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

func inNetwork(value, want string) bool {
	a, err1 := netip.ParseAddr(value)
	n, err2 := readNetwork(want)
	return err1 == nil && err2 == nil && n.Contains(a.Unmap())
}

func sameBinary(value, want string) bool {
	raw, err := base64.StdEncoding.DecodeString(want)
	return err == nil && string(raw) == value
}

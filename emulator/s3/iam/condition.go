package iam

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	read    func(want string) error // says what is wrong with a text to compare with; nil: takes any
	wrong   string                  // the complaint, of the text, the operator and what is wrong
	negated bool
}

// operators are all but Null, by their names without qualifiers.
var operators = map[string]operator{
	"StringEquals":              {test: equal},
	"StringNotEquals":           {test: equal, negated: true},
	"StringEqualsIgnoreCase":    {test: strings.EqualFold},
	"StringNotEqualsIgnoreCase": {test: strings.EqualFold, negated: true},
	"StringLike":                {test: like},
	"StringNotLike":             {test: like, negated: true},
	"BinaryEquals":              {test: sameBinary, read: readable(base64.StdEncoding.DecodeString), wrong: "value %s must be base64 encoded string for %s condition"},
	"Bool":                      {test: strings.EqualFold, read: readable(readBool), wrong: notBool + "boolean condition"},
	"IpAddress":                 {test: inNetwork, read: readable(readNetwork), wrong: "value %s must be CIDR string for %s condition"},
	"NotIpAddress":              {test: inNetwork, read: readable(readNetwork), wrong: "value %s must be CIDR string for %s condition", negated: true},
	"NumericEquals":             number(func(order int) bool { return order == 0 }),
	"NumericNotEquals":          negated(number(func(order int) bool { return order == 0 })),
	"NumericLessThan":           number(func(order int) bool { return order < 0 }),
	"NumericLessThanEquals":     number(func(order int) bool { return order <= 0 }),
	"NumericGreaterThan":        number(func(order int) bool { return order > 0 }),
	"NumericGreaterThanEquals":  number(func(order int) bool { return order >= 0 }),
	"DateEquals":                date(func(order int) bool { return order == 0 }),
	"DateNotEquals":             negated(date(func(order int) bool { return order == 0 })),
	"DateLessThan":              date(func(order int) bool { return order < 0 }),
	"DateLessThanEquals":        date(func(order int) bool { return order <= 0 }),
	"DateGreaterThan":           date(func(order int) bool { return order > 0 }),
	"DateGreaterThanEquals":     date(func(order int) bool { return order >= 0 }),
}

const notBool = "value must be a boolean string for "

// complain says that a text is not what an operator takes.
func (o operator) complain(text, name string, err error) error {
	all := []any{text, name, err}
	return fmt.Errorf(o.wrong, all[:strings.Count(o.wrong, "%")]...)
}

func equal(value, want string) bool { return value == want }

func like(value, want string) bool { return match(want, value) }

func negated(o operator) operator {
	o.negated = true
	return o
}

func number(holds func(order int) bool) operator {
	return operator{test: comparing(strconv.Atoi, cmp.Compare[int], holds), read: readable(strconv.Atoi), wrong: "value %s must be a int for %s condition: %v"}
}

func date(holds func(order int) bool) operator {
	return operator{test: comparing(readDate, time.Time.Compare, holds), read: readable(readDate), wrong: "value %s must be a time.Time string for %s condition: %v"}
}

// comparing reads both sides; what cannot be read compares to nothing.
func comparing[T any](read func(string) (T, error), compare func(a, b T) int, holds func(order int) bool) func(value, want string) bool {
	return func(value, want string) bool {
		a, err1 := read(value)
		b, err2 := read(want)
		return err1 == nil && err2 == nil && holds(compare(a, b))
	}
}

func readable[T any](read func(string) (T, error)) func(string) error {
	return func(s string) error {
		_, err := read(s)
		return err
	}
}

func readDate(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) }

func readBool(s string) (bool, error) { return strconv.ParseBool(strings.ToLower(s)) }

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

// compileConditions checks what a statement on some actions asks of requests.
func compileConditions(raw map[string]map[string]scalars, actions []string) ([]condition, error) {
	if raw != nil && len(raw) == 0 {
		return nil, errors.New("condition must not be empty")
	}
	var all []condition
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		for _, written := range slices.Sorted(maps.Keys(raw[name])) {
			c, takes, err := parseOperator(name)
			if err != nil {
				return nil, err
			}
			key, ok := conditionKey(written)
			if !ok {
				return nil, fmt.Errorf("invalid condition key '%s'", written)
			}
			if strings.HasSuffix(name, "IpAddress") && key != "aws:sourceip" {
				return nil, fmt.Errorf("only aws:SourceIp key is allowed for %s condition", name)
			}
			if action, ok := unfit(key, actions); ok {
				return nil, fmt.Errorf("unsupported condition keys '[%s]' used for action '%s'", written, action)
			}
			c.key, c.want = key, raw[name][written]
			if err := takes(c.want); err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// unfit finds the action that has not what a condition is on.
func unfit(key string, actions []string) (string, bool) {
	switch key {
	case "s3:prefix", "s3:delimiter", "s3:max-keys":
		i := slices.IndexFunc(actions, func(action string) bool { return !names(action, listing) })
		if i >= 0 {
			return actions[i], true
		}
	}
	return "", false
}

// parseOperator reads an operator with its qualifiers, and returns what checks
// the values that it is given.
func parseOperator(name string) (c condition, takes func(want []string) error, err error) {
	bare := name
	bare, c.all = strings.CutPrefix(bare, "ForAllValues:")
	bare, c.each = strings.CutPrefix(bare, "ForAnyValue:")
	bare, c.absent = strings.CutSuffix(bare, "IfExists")
	op, ok := operators[bare]
	if name == "Null" {
		c.null, ok = true, true
		op = operator{read: readable(readBool), wrong: notBool + "Null condition"}
	}
	if !ok || c.all && c.each {
		return c, nil, fmt.Errorf("invalid condition name '%s'", name)
	}
	c.test, c.negated = op.test, op.negated
	return c, func(want []string) error {
		if len(want) == 0 {
			return errors.New("invalid value")
		}
		for _, w := range want {
			if op.read == nil || strings.Contains(w, "${") {
				continue
			}
			if err := op.read(w); err != nil {
				return op.complain(w, name, err)
			}
		}
		return nil
	}, nil
}

// scalars are one or many strings, numbers or booleans, as text.
type scalars []string

func (l *scalars) UnmarshalJSON(js []byte) error {
	var many []json.RawMessage
	if json.Unmarshal(js, &many) != nil {
		many = []json.RawMessage{js}
	}
	*l = scalars{}
	for _, one := range many {
		text := string(one)
		if one[0] == '"' {
			if err := json.Unmarshal(one, &text); err != nil {
				return err
			}
		} else if one[0] == '{' || one[0] == '[' || text == "null" {
			return errors.New("invalid value")
		}
		*l = append(*l, text)
	}
	slices.Sort(*l)
	return nil
}

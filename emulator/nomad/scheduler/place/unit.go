package place

import (
	"strconv"
	"strings"
)

// newDeviceOperator is newOperator for attributes of devices, which may have a
// unit: those of one kind are compared by what they mean, those of different
// kinds never match.
func newDeviceOperator(name string) operator {
	plain := newOperator(name)
	switch name {
	case "", "=", "==", "is", "!=", "not", "<", "<=", ">", ">=":
	default:
		return plain
	}
	return func(l, r value) bool {
		left, leftIs := parseQuantity(l)
		right, rightIs := parseQuantity(r)
		if !leftIs || !rightIs {
			return plain(l, r)
		}
		if left.kind != right.kind {
			return name == "!=" || name == "not"
		}
		switch by := order(left.amount, right.amount); name {
		case "<", "<=", ">", ">=":
			return ordered(name, by)
		case "!=", "not":
			return by != 0
		default:
			return by == 0
		}
	}
}

// quantity is a number in the basic unit of its kind.
type quantity struct {
	amount float64
	kind   string
}

// parseQuantity reads a number that may have a unit: "11 GiB", "1.5 GHz", "7".
func parseQuantity(of value) (quantity, bool) {
	digits := strings.TrimRight(of.text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/ ")
	amount, err := strconv.ParseFloat(digits, 64)
	if err != nil || !of.set {
		return quantity{}, false
	}
	factor, kind, ok := parseUnit(strings.TrimSpace(of.text[len(digits):]))
	return quantity{amount * factor, kind}, ok
}

func parseUnit(unit string) (factor float64, kind string, ok bool) {
	if unit == "" {
		return 1, "", true
	}
	for _, kind := range []string{"B/s", "B", "Hz", "W"} {
		if prefix, is := strings.CutSuffix(unit, kind); is {
			factor, ok := parsePrefix(prefix)
			return factor, kind, ok
		}
	}
	return 0, "", false
}

func parsePrefix(prefix string) (factor float64, ok bool) {
	if prefix == "m" {
		return 0.001, true
	}
	base, letter := 1000.0, prefix
	if cut, is := strings.CutSuffix(prefix, "i"); is {
		base, letter = 1024, cut
	}
	power := strings.Index(" kMGTPE", strings.Replace(letter, "K", "k", 1))
	if letter == "" {
		return 1, prefix == ""
	}
	if power < 1 || len(letter) != 1 {
		return 0, false
	}
	for factor = 1; power > 0; power-- {
		factor *= base
	}
	return factor, true
}

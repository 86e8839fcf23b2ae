package settings

import (
	"flag"
	"strconv"
	"strings"
)

// Flags are those of a command line that stand for settings, as lists of
// flag=setting with spaces between. A flag's usage is its setting's name.
type Flags struct {
	Texts, Lists, Numbers, Switches string
}

// Add adds the flags to a set; what they are given goes to the tree.
func (f Flags) Add(to *flag.FlagSet, into Tree) {
	each(f.Texts, func(name, setting string) {
		to.Func(name, setting, func(value string) error {
			Put(into, setting, value)
			return nil
		})
	})
	each(f.Lists, func(name, setting string) {
		var list []any
		to.Func(name, setting, func(value string) error {
			list = append(list, value)
			Put(into, setting, list)
			return nil
		})
	})
	each(f.Numbers, func(name, setting string) {
		to.Func(name, setting, func(value string) error {
			number, err := strconv.Atoi(value)
			Put(into, setting, number)
			return err
		})
	})
	each(f.Switches, func(name, setting string) {
		to.BoolFunc(name, setting, func(value string) error {
			on, err := strconv.ParseBool(value)
			Put(into, setting, on)
			return err
		})
	})
}

func each(pairs string, do func(name, setting string)) {
	for _, pair := range strings.Fields(pairs) {
		name, setting, _ := strings.Cut(pair, "=")
		do(name, setting)
	}
}

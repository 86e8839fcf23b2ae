package rawexec

import (
	"errors"
	"syscall"
)

// confinement is what process.Command confines a program with.
type confinement func(attr *syscall.SysProcAttr) (restore func() error, err error)

// confineAll confines a program in several ways; those that are nil are none.
func confineAll(ways ...confinement) confinement {
	return func(attr *syscall.SysProcAttr) (func() error, error) {
		var restores []func() error
		restore := func() error {
			var all error
			for i := len(restores) - 1; i >= 0; i-- {
				all = errors.Join(all, restores[i]())
			}
			return all
		}
		for _, way := range ways {
			if way == nil {
				continue
			}
			undo, err := way(attr)
			if err != nil {
				return nil, errors.Join(err, restore())
			}
			restores = append(restores, undo)
		}
		return restore, nil
	}
}

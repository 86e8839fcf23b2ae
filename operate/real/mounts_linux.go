package real

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// unmountBelow unmounts all that is mounted below a folder: Nomad, where it is
// root, mounts folders of tasks, as those for their secrets.
func unmountBelow(dir string) error {
	mounts, err := mountsBelow(dir)
	if err != nil {
		return fmt.Errorf("find what is mounted below %s: %w", dir, err)
	}
	var failed error
	for _, mount := range slices.Backward(mounts) { // what was mounted last, first
		if err := syscall.Unmount(mount, syscall.MNT_DETACH); err != nil {
			failed = errors.Join(failed, fmt.Errorf("unmount %s: %w", mount, err))
		}
	}
	return failed
}

func mountsBelow(dir string) ([]string, error) {
	const mountPoint = 4
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var mounts []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > mountPoint && strings.HasPrefix(plain.Replace(fields[mountPoint]), dir+"/") {
			mounts = append(mounts, plain.Replace(fields[mountPoint]))
		}
	}
	return mounts, nil
}

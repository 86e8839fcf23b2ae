package rawexec

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// credentialOf is who a task with this user runs as; nil is who the owner is.
// Only root may run tasks as somebody else.
func credentialOf(name string) (*syscall.Credential, error) {
	if name == "" {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return nil, fmt.Errorf("failed to get user %q: %w", name, err)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %q has no number: %w", name, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %q has no group: %w", name, err)
	}
	if int(uid) == os.Getuid() {
		return nil, nil
	}
	if os.Getuid() != 0 {
		return nil, fmt.Errorf("only root runs tasks as another user: remove user = %q, or start as root", name)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: groupsOf(u)}, nil
}

// homeOf is the home folder of a user; the root without one.
func homeOf(name string) string {
	u, err := user.Lookup(name)
	if err != nil {
		return "/"
	}
	return u.HomeDir
}

// groupsOf are the other groups of a user; those that cannot be found out are none.
func groupsOf(u *user.User) []uint32 {
	ids, err := u.GroupIds()
	if err != nil {
		return nil
	}
	var groups []uint32
	for _, id := range ids {
		if number, err := strconv.ParseUint(id, 10, 32); err == nil {
			groups = append(groups, uint32(number))
		}
	}
	return groups
}

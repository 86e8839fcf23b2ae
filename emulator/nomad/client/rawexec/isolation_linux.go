package rawexec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// canIsolate reports whether tasks can be given a view of the files of their own.
func canIsolate() error {
	if os.Geteuid() != 0 {
		return errors.New("only root can isolate tasks")
	}
	return nil
}

// systemFolders are those of the machine that an isolated task sees, to read.
func systemFolders() []string {
	return []string{"bin", "etc", "lib", "lib32", "lib64", "run/resolvconf", "sbin", "usr"}
}

// isolate has the calling thread start programs in a mount namespace of their
// own, in which the task's directory is the root and holds the system's folders,
// the shared folder of the allocation, and the task's volumes. It is to be
// locked to its goroutine.
func isolate(task driver.Task) confinement {
	return func(attr *syscall.SysProcAttr) (restore func() error, err error) {
		restore, err = leaveNamespace(func() error { return unix.Unshare(unix.CLONE_NEWNS) })
		if err != nil {
			return nil, fmt.Errorf("isolate the task: %w", err)
		}
		if err := furnish(task); err != nil {
			return nil, errors.Join(fmt.Errorf("isolate the task: %w", err), restore())
		}
		attr.Chroot = task.Dir.Root
		return restore, nil
	}
}

// join has the calling thread start programs where an isolated task is that
// runs.
func join(pid int, root string) confinement {
	return func(attr *syscall.SysProcAttr) (restore func() error, err error) {
		namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
		if err != nil {
			return nil, fmt.Errorf("join the task: %w", err)
		}
		defer namespace.Close()
		restore, err = leaveNamespace(func() error {
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				return err
			}
			return unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNS)
		})
		if err != nil {
			return nil, fmt.Errorf("join the task: %w", err)
		}
		attr.Chroot = root
		return restore, nil
	}
}

// leaveNamespace leaves the mount namespace of the calling thread, until restore
// is called.
func leaveNamespace(leave func() error) (restore func() error, err error) {
	home, err := os.Open("/proc/thread-self/ns/mnt")
	if err != nil {
		return nil, err
	}
	if err := leave(); err != nil {
		return nil, errors.Join(err, home.Close())
	}
	return func() error {
		return errors.Join(unix.Setns(int(home.Fd()), unix.CLONE_NEWNS), home.Close())
	}, nil
}

// furnish mounts what the task sees into its directory. Nobody else sees it.
func furnish(task driver.Task) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	root := task.Dir.Root
	for _, folder := range systemFolders() {
		if _, err := os.Stat("/" + folder); err != nil {
			continue
		}
		if err := bind("/"+folder, filepath.Join(root, folder), true); err != nil {
			return err
		}
	}
	for _, folder := range []string{"proc", "sys"} {
		if err := bind("/"+folder, filepath.Join(root, folder), true); err != nil {
			return err
		}
	}
	if err := furnishDevices(filepath.Join(root, "dev")); err != nil {
		return err
	}
	if err := bind(task.Dir.Shared, filepath.Join(root, "alloc"), false); err != nil {
		return err
	}
	for _, m := range task.Mounts {
		target := filepath.Join(root, filepath.Clean("/"+m.Destination))
		if err := bind(m.Source, target, m.ReadOnly); err != nil {
			return err
		}
	}
	return nil
}

// furnishDevices mounts the devices that any program may use, and no others.
func furnishDevices(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", folder, "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=755,size=64k"); err != nil {
		return fmt.Errorf("mount %s: %w", folder, err)
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty", "ptmx"} {
		device := filepath.Join(folder, name)
		if err := os.WriteFile(device, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, device, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount /dev/%s: %w", name, err)
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return bind("/dev/pts", filepath.Join(folder, "pts"), false)
}

// bind shows a folder at another place as well.
func bind(source, target string, readOnly bool) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s at %s: %w", source, target, err)
	}
	if !readOnly {
		return nil
	}
	if err := unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("protect %s: %w", target, err)
	}
	return nil
}

// findIsolated looks for a program as an isolated task sees it, and returns its
// path there.
func findIsolated(name, root, path string) (string, error) {
	candidates := []string{name}
	if !filepath.IsAbs(name) {
		candidates = []string{filepath.Join("/local", name), filepath.Join("/", name)}
		if filepath.Base(name) == name {
			for _, folder := range filepath.SplitList(path) {
				candidates = append(candidates, filepath.Join(folder, name))
			}
		}
	}
	for _, candidate := range candidates {
		for _, file := range onTheMachine(filepath.Clean(candidate), root) {
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return candidate, nil
			}
		}
	}
	return "", fmt.Errorf("binary %q could not be found", name)
}

// onTheMachine are the places where a file may be that the task sees at a path.
func onTheMachine(path, root string) []string {
	for _, folder := range systemFolders() {
		if strings.HasPrefix(path, "/"+folder+"/") {
			return []string{path}
		}
	}
	if shared, is := strings.CutPrefix(path, "/alloc/"); is {
		return []string{filepath.Join(filepath.Dir(root), "alloc", shared)}
	}
	return []string{filepath.Join(root, path)}
}

package process

import (
	"os"
	"syscall"
)

// dieWithOwner has the kernel kill the process when the thread that starts it ends.
func dieWithOwner(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// isMainThread reports whether the calling thread is the one that the kernel
// takes for the whole program.
func isMainThread() bool { return syscall.Gettid() == os.Getpid() }

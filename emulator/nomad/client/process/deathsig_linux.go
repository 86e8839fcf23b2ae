package process

import "syscall"

// dieWithOwner has the kernel kill the process when the thread that starts it ends.
func dieWithOwner(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

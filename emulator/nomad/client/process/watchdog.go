package process

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// watchdogScript keeps a list of process groups, "+pgid" and "-pgid" a line, and kills those left when its standard input
// ends, which is when the owner has closed it or has died. It has no other way to end.
const watchdogScript = `trap '' HUP INT QUIT TERM PIPE
groups=' '
while read -r line; do
	group=${line#?}
	case $line in
	+*) groups="$groups$group " ;;
	-*) case $groups in *" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;; esac ;;
	esac
done
for group in $groups; do kill -s KILL -- "-$group"; done`

// watchdog is a shell that outlives the owner, if only by a moment. It runs in a session of its own, so that no signal of
// a terminal reaches it.
type watchdog struct {
	cmd *exec.Cmd

	mu    sync.Mutex // one line at a time
	stdin io.WriteCloser
}

func startWatchdog() (*watchdog, error) {
	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "drydock-nomad-watchdog")
	cmd.Dir = "/"
	cmd.Env = []string{} // not the owner's: it needs none, and holds no secrets
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stdin, err := cmd.StdinPipe() // close-on-exec, so that no task keeps it open
	if err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog /bin/sh, which ends tasks when this program dies: %w", err)
	}
	return &watchdog{cmd: cmd, stdin: stdin}, nil
}

// add has the watchdog watch a process group. When it fails the group must not run on.
func (w *watchdog) add(pgid int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := fmt.Fprintf(w.stdin, "+%d\n", pgid); err != nil {
		return fmt.Errorf("tell the watchdog, which seems to have been killed: %w: start again", err)
	}
	return nil
}

// remove tells that a group is dead. That it cannot be told is no loss: the watchdog is dead as well.
func (w *watchdog) remove(pgid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = fmt.Fprintf(w.stdin, "-%d\n", pgid)
}

// close ends the watchdog and waits for it.
func (w *watchdog) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stdin.Close()
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("stop the watchdog: %w", err)
	}
	return nil
}

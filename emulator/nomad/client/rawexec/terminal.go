package rawexec

import (
	"context"
	"fmt"
	"io"

	"github.com/creack/pty"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/process"
)

// execOnTerminal runs a command on a terminal of its own.
func (h *handle) execOnTerminal(ctx context.Context, command process.Command, c driver.Command) (int, error) {
	ours, theirs, err := pty.Open()
	if err != nil {
		return 0, fmt.Errorf("open a terminal: %w", err)
	}
	defer ours.Close()
	command.Terminal = theirs
	p, err := h.driver.starter.Start(command)
	theirs.Close()
	if err != nil {
		return 0, fmt.Errorf("rpc error: code = Unknown desc = failed to start command: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(c.Stdout, ours) // it fails when the last process has left the terminal
	}()
	go func() { _, _ = io.Copy(ours, c.Stdin) }()
	go func() {
		for {
			select {
			case size, open := <-c.Resize:
				if !open {
					return
				}
				_ = pty.Setsize(ours, &pty.Winsize{Rows: uint16(size.Height), Cols: uint16(size.Width)})
			case <-p.Done():
				return
			}
		}
	}()
	code, err := h.await(ctx, p)
	<-ended
	return code, err
}

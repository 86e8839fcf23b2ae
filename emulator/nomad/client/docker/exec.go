package docker

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// Exec implements driver.Handle. A command that outlives the context is left
// alone: the engine has no way to end it.
func (h *handle) Exec(ctx context.Context, c driver.Command) (int, error) {
	e := h.driver.engine
	var made struct{ ID string }
	err := e.post(ctx, "/containers/"+h.id+"/exec", map[string]any{
		"AttachStdin": c.Stdin != nil, "AttachStdout": true, "AttachStderr": true, "Tty": c.TTY, "Cmd": c.Args,
	}, &made)
	if err != nil {
		return 0, fmt.Errorf("failed to create exec object: %w", err)
	}
	stream, err := e.upgrade(ctx, "/exec/"+made.ID+"/start", map[string]any{"Detach": false, "Tty": c.TTY})
	if err != nil {
		return 0, fmt.Errorf("failed to start exec: %w", err)
	}
	if err := h.talk(ctx, made.ID, stream, c); err != nil {
		return 0, err
	}
	var ended struct{ ExitCode int }
	if err := e.get(ctx, "/exec/"+made.ID+"/json", &ended); err != nil {
		return 0, fmt.Errorf("failed to inspect exec result: %w", err)
	}
	return ended.ExitCode, nil
}

// talk carries what goes to and comes from the command, until it has ended.
func (h *handle) talk(ctx context.Context, id string, stream duplex, c driver.Command) error {
	talking, stop := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer stop()
	others.Go(func() { <-talking.Done(); _ = stream.Close() })
	others.Go(func() { h.resize(talking, id, c.Resize) })
	if c.Stdin != nil {
		// Not waited for: nobody can end a read of somebody else's.
		go func() {
			_, _ = io.Copy(stream, c.Stdin)
			_ = stream.CloseWrite()
		}()
	}
	err := split(stream, c.TTY, c.Stdout, c.Stderr)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// resize passes on the sizes of the terminal.
func (h *handle) resize(ctx context.Context, id string, sizes <-chan driver.WindowSize) {
	for {
		select {
		case <-ctx.Done():
			return
		case size, ok := <-sizes:
			if !ok {
				return
			}
			// A size that is not taken is a terminal that looks odd, no more.
			_ = h.driver.engine.post(ctx, fmt.Sprintf("/exec/%s/resize?h=%d&w=%d", id, size.Height, size.Width), nil, nil)
		}
	}
}

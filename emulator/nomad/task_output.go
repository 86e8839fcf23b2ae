package nomad

import (
	"io"
	"sync"
)

// taskOutput is Options.Output for the tasks of all nodes: one write at a time.
type taskOutput struct {
	mu sync.Mutex
	to io.Writer
}

func (o *taskOutput) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.to.Write(line)
}

package client

import "errors"

// ErrNotCollectable says that a node has no such allocation, or that it has not
// ended.
//
//lint:ignore ST1005 the words of the API
var ErrNotCollectable = errors.New("No such allocation on client, or allocation not eligible for GC")

// CollectGarbage removes the directory of an allocation that has ended.
func (c *Client) CollectGarbage(id string) error {
	a := c.runnerOf(id)
	if a == nil {
		return ErrNotCollectable
	}
	return a.collect()
}

// CollectAllGarbage removes the directories of all allocations that have ended.
func (c *Client) CollectAllGarbage() error {
	s := c.current()
	if s == nil {
		return nil
	}
	s.mu.Lock()
	var ended []*allocRunner
	for _, a := range s.runners {
		if a.isEnded() {
			ended = append(ended, a)
		}
	}
	s.mu.Unlock()
	for _, a := range ended {
		if err := a.collect(); err != nil {
			return err
		}
	}
	return nil
}

func (a *allocRunner) isEnded() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ended
}

// collect removes the directory. One that has not ended stays.
func (a *allocRunner) collect() error {
	a.mu.Lock()
	ended := a.ended
	a.collected = a.collected || ended
	a.mu.Unlock()
	if !ended {
		return ErrNotCollectable
	}
	return a.dir.Remove()
}

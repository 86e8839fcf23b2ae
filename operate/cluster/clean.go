package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Down removes the machine's cluster with its data, also one that was only half
// made; nothing when there is none.
func Down(ctx context.Context) error { return down(ctx, machine) }

func down(ctx context.Context, at site) error {
	if err := check(); err != nil {
		return err
	}
	release, err := at.lock()
	if err != nil {
		return err
	}
	defer release()
	return at.clean(ctx)
}

// clean removes all that a cluster is, found by its names. It goes on to its end
// when the context ends, and as far as it can when something fails.
func (s site) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanWait)
	defer cancel()
	var failed error
	for _, namespace := range s.namespaces() {
		failed = errors.Join(failed, killAll(ctx, namespace))
	}
	failed = errors.Join(failed, s.removeNetwork(ctx), s.removeResolvers())
	if err := os.RemoveAll(s.dir); err != nil {
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return fmt.Errorf("remove the cluster: %w", failed)
	}
	return nil
}

// leftovers tells whether there is anything of a cluster.
func (s site) leftovers(ctx context.Context) (bool, error) {
	files := []string{s.dir}
	for _, zone := range zoneNames {
		files = append(files, s.resolver(zone))
	}
	for _, namespace := range s.namespaces() {
		files = append(files, namespaceFile(namespace))
	}
	for _, file := range files {
		if _, err := os.Lstat(file); err == nil {
			return true, nil
		}
	}
	links, err := linkNames(ctx)
	return slices.Contains(links, s.link()), err
}

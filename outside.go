//go:build !image

package main

import "github.com/spf13/cobra"

// outsideCommands are those that have no place in a container: the offline
// stack, which is most of the program, what looks after its object store, and
// what deploys. The build with the tag image leaves them out.
func outsideCommands(getenv func(string) string) []*cobra.Command {
	return []*cobra.Command{
		upCommand(), deployCommand(getenv), realCommand(getenv), clusterCommand(), consulCommand(), nomadCommand(), s3Command(getenv),
	}
}

//go:build image

package main

import "github.com/spf13/cobra"

// outsideCommands are none: this is the program of the image drydock.
func outsideCommands(func(string) string) []*cobra.Command { return nil }

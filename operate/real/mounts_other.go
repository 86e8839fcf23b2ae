//go:build !linux

package real

// unmountBelow has nothing to do: Nomad mounts nothing on this system.
func unmountBelow(string) error { return nil }

//go:build !linux

package s3

import "os"

// syncData makes what was written to a file durable.
func syncData(f *os.File) error { return f.Sync() }

// writeSoon does nothing: other systems cannot be told to begin.
func writeSoon(*os.File, int64, int64) {}

// uncache does nothing: other systems decide alone what they keep.
func uncache(*os.File, int64, int64) {}

package s3

import (
	"os"
	"syscall"
)

// syncData makes what was written to a file durable.
func syncData(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }

// writeSoon has the system begin to write a range of a file to the disk, so that
// a later sync waits for less. It does not wait itself.
func writeSoon(f *os.File, offset, size int64) {
	const write = 2 // SYNC_FILE_RANGE_WRITE
	_ = syscall.SyncFileRange(int(f.Fd()), offset, size, write)
}

package s3

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes what was written to a file durable.
func syncData(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }

// writeSoon has the system begin to write a range of a file to the disk, so that
// a later sync waits for less. It does not wait itself.
func writeSoon(f *os.File, offset, size int64) {
	_ = unix.SyncFileRange(int(f.Fd()), offset, size, unix.SYNC_FILE_RANGE_WRITE)
}

// uncache has the system forget a range of a file that it was told to write, so
// that a large object takes the memory of a small one. It waits for the disk to
// have it.
func uncache(f *os.File, offset, size int64) {
	const all = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	if unix.SyncFileRange(int(f.Fd()), offset, size, all) == nil {
		_ = unix.Fadvise(int(f.Fd()), offset, size, unix.FADV_DONTNEED)
	}
}

// Package vips makes the variants of a picture with libvips: the only part of Drydock that needs C.
// The program drydock-images calls it, and the benchmarks do.
//
// Transform reads the header, refuses what is too large before decoding anything, decodes once, and
// derives and encodes every variant. What comes out is decided by what goes in alone: the same file and
// variants give the same bytes. Nothing of a file's metadata (position, camera, owner, colour profile)
// gets out: orientation is applied, colours become sRGB.
package vips

// #cgo pkg-config: vips gmodule-2.0
// #include <vips/vips.h>
// #include "transform.h"
import "C"

import (
	"errors"
	"sync"
)

var (
	startup  = sync.OnceValue(start)
	shutdown = sync.OnceFunc(func() { C.drydock_shutdown() })
)

func start() error {
	if message := C.drydock_startup(); message != nil {
		return errors.New(C.GoString(message))
	}
	return nil
}

// Startup readies libvips for the whole process. Transform does so too; a program calls it first to learn
// at once whether libvips can do what is needed. It may be called again.
func Startup() error { return startup() }

// Shutdown ends libvips for good; no Transform may be under way, and none may follow.
func Shutdown() { shutdown() }

// InUse is what libvips holds for pixels now: nothing when no Transform is under way.
func InUse() (bytes int64, blocks int) {
	return int64(C.vips_tracked_get_mem()), int(C.vips_tracked_get_allocs())
}

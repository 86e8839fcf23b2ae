package vips

import (
	"fmt"
	"time"
)

// Limits bound what one picture may cost. They are checked on the header, before anything is decoded.
type Limits struct {
	File             int64         // bytes of the file; WebP and GIF files are held in memory
	Pixels           int64         // width × height × frames
	InterlacedPixels int64         // the same, for interlaced PNG and progressive JPEG
	Side             int           // width or height, at most MaxSide
	Frames           int           // of an animation, even when only the first is wanted
	Decoded          int64         // bytes that decoding holds at once, by our own reckoning
	Time             time.Duration // from the first byte read to the last one written
}

// DefaultLimits takes what common cameras and phones make. Among the largest pictures that pass are a JPEG or
// PNG of 50 megapixels, a progressive JPEG or interlaced PNG of 25 and a HEIF or AVIF of 24. The slowest
// met among those that pass took 6 seconds of one core with the default variants.
func DefaultLimits() Limits {
	return Limits{
		File:             64 << 20,
		Pixels:           50_000_000,
		InterlacedPixels: 25_000_000,
		Side:             MaxSide,
		Frames:           500,
		Decoded:          320 << 20,
		Time:             30 * time.Second,
	}
}

// header is what a decoder says of a picture before it decodes it.
type header struct {
	format        string
	width, height int // of one page, as stored
	pages         int // in the file
	bands, depth  int
	orientation   int
	interlaced    bool
}

// load is the header when only so many pages are loaded.
func (h header) load(pages int) header {
	h.pages = pages
	return h
}

func (h header) pixels() int64 { return int64(h.width) * int64(h.height) * int64(h.pages) }

// check returns a Rejected for a picture beyond the limits.
func (l Limits) check(h header) error {
	pixels := h.pixels()
	size := fmt.Sprintf("%d×%d", h.width, h.height)
	verb := "is"
	if h.pages > 1 {
		size, verb = fmt.Sprintf("%d frames of %s", h.pages, size), "are"
	}
	switch {
	case pixels > l.Pixels:
		return reject("The picture is too large: %s %s %s, and %d is the most.",
			size, verb, megapixels(pixels), l.Pixels/1e6)
	case h.width > l.Side || h.height > l.Side:
		return reject("The picture is too large: it is %s pixels, and %d a side is the most.", size, l.Side)
	case h.interlaced && pixels > l.InterlacedPixels:
		return reject("The picture is too large: %s %s %s, and %d is the most when it is %s.",
			size, verb, megapixels(pixels), l.InterlacedPixels/1e6, interlacing(h.format))
	}
	if memory := h.memory(); memory > l.Decoded {
		return reject("The picture is too large: reading it takes %d MB of memory, and %d is the most.",
			memory>>20, l.Decoded>>20)
	}
	return nil
}

func megapixels(pixels int64) string {
	return fmt.Sprintf("%d megapixels", (pixels+1e6-1)/1e6)
}

func interlacing(format string) string {
	if format == "jpeg" {
		return "progressive"
	}
	return "interlaced"
}

// Measured by BenchmarkPeakMemory (libvips 8.14.1, amd64), rounded up.
const (
	processMemory   = 45 << 20 // a process that has done one small picture
	rowsMemory      = 10 << 10 // the rows under way, for each pixel of width
	rowsAlphaMemory = 22 << 10 // the same with a fourth band, which makes them float
	encodeMemory    = 32       // the base and the encoder, for each pixel of the largest variant
)

// memory is about how many bytes decoding holds at once, beyond the base picture.
func (h header) memory() int64 {
	rows := int64(h.width) * rowsMemory
	if h.bands == 2 || h.bands == 4 {
		rows = int64(h.width) * rowsAlphaMemory
	}
	samples := int64(h.width) * int64(h.height) * int64(h.bands)
	canvas := int64(h.width) * int64(h.height) * 4
	switch h.format {
	case "jpeg":
		if h.interlaced {
			return rows + samples*2 // every coefficient, 16 bits
		}
		return rows
	case "png":
		if h.interlaced {
			return rows + samples*int64(h.depth)
		}
		return rows
	case "gif":
		return rows + canvas*2 // the canvas, and the one to go back to
	case "webp":
		if h.pages > 1 {
			return rows + canvas*3 // the canvas, the frame, the decoder's own
		}
		return rows + canvas
	}
	return rows + canvas*11/4*int64(h.depth) // HEIF and AVIF: planes, their copy, and both as RGB
}

// Peak is about the most memory, in bytes, that a process needs to run so many Transforms at once with
// these limits: 0.8 GB for one with the defaults, when ordinary photographs take a tenth of that. It does not
// hold for HEIF and AVIF files whose coded picture is larger than their header says: libheif decodes those
// whole (7 bytes a pixel were seen) before they are found out, so that a process open to strangers wants a
// limit from the system too.
func (l Limits) Peak(variants []Variant, transforms int) int64 {
	largest := int64(0)
	for _, v := range variants {
		width, height := v.Width, v.Height
		if width == 0 {
			width = l.Side
		}
		if height == 0 {
			height = l.Side
		}
		largest = max(largest, min(int64(width)*int64(height), l.Pixels))
	}
	return processMemory + int64(transforms)*(l.File+max(l.Decoded, largest*encodeMemory))
}

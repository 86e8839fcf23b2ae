package vips

// #include <stdlib.h>
// #include "transform.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// Source is what was found in the file.
type Source struct {
	Format        string // jpeg, png, webp, gif, heif or avif
	Width, Height int    // as seen, orientation applied
	Pages         int    // frames of an animation, else 1
}

// Output is one variant, encoded.
type Output struct {
	Variant       string
	Width, Height int
	Pages         int
	Format        Format
	Bytes         []byte // read only: variants that come out the same share it
}

// Transform makes the variants of the picture in the file, in their order, wherever the file stands. The
// file must not change meanwhile, and stays the caller's to close. It runs on the calling thread and may run many times at once; each takes about one core.
//
// The error is a *Rejected if the picture can never be processed, ErrTime after limits.Time, the
// context's cause when ctx ends (at once, but for single frames being encoded or HEIF and AVIF being
// decoded), and otherwise something that may pass.
func Transform(ctx context.Context, file *os.File, variants []Variant, limits Limits) (Source, []Output, error) {
	if err := errors.Join(Startup(), checkVariants(variants)); err != nil {
		return Source{}, nil, err
	}
	size, format, err := examine(file, limits)
	if err != nil {
		return Source{Format: format}, nil, err
	}

	picture := (*C.drydock_picture)(C.calloc(1, C.sizeof_drydock_picture))
	picture.fd = C.int(file.Fd())
	picture.size = C.int64_t(size)
	picture.deadline = C.drydock_now() + C.int64_t(limits.Time.Microseconds())
	picture.format = formats[format]
	defer func() {
		C.drydock_close(picture)
		C.free(unsafe.Pointer(picture))
	}()
	defer cancelWith(ctx, picture)()
	return transform(ctx, file, picture, format, variants, limits)
}

var formats = map[string]C.int{
	"jpeg": C.DRYDOCK_JPEG, "png": C.DRYDOCK_PNG, "webp": C.DRYDOCK_WEBP,
	"gif": C.DRYDOCK_GIF, "heif": C.DRYDOCK_HEIF, "avif": C.DRYDOCK_AVIF,
}

// examine looks at the file itself: its size, its first bytes, its frames.
func examine(file *os.File, limits Limits) (int64, string, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, "", err
	}
	if !info.Mode().IsRegular() {
		return 0, "", fmt.Errorf("%s is not a regular file", file.Name())
	}
	start := make([]byte, sniffLength)
	n, err := file.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, "", err
	}
	format, err := sniff(start[:n])
	if err != nil {
		return 0, format, err
	}
	if info.Size() > limits.File {
		return 0, format, reject("The file is too large: it has %d MB, and %d is the most.", info.Size()>>20, limits.File>>20)
	}
	frames, cut := survey(file, info.Size(), format, limits.Frames)
	switch {
	case frames > limits.Frames:
		err = reject("The animation is too long: it has more than %d frames.", limits.Frames)
	case cut:
		err = &Rejected{Reason: endless}
	}
	return info.Size(), format, err
}

// cancelWith lets ctx stop the picture until the returned function is called.
func cancelWith(ctx context.Context, picture *C.drydock_picture) func() {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		C.drydock_cancel(picture)
		close(done)
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

func transform(ctx context.Context, file *os.File, picture *C.drydock_picture, format string,
	variants []Variant, limits Limits) (Source, []Output, error) {
	source := Source{Format: format}
	if failure := C.drydock_read(picture); failure != C.DRYDOCK_OK {
		return source, nil, explain(ctx, file, picture, format, failure)
	}
	h := header{
		format: format, width: int(picture.width), height: int(picture.height), pages: int(picture.pages),
		bands: int(picture.bands), depth: int(picture.depth),
		orientation: int(picture.orientation), interlaced: picture.interlaced != 0,
	}
	p := planFor(h, variants)
	source.Width, source.Height, source.Pages = h.width, h.height, h.pages
	if h.orientation >= 5 && p.pages == 1 {
		source.Width, source.Height = h.height, h.width
	}
	if err := limits.check(h.load(p.pages)); err != nil {
		return source, nil, err
	}

	made := make([]C.drydock_variant, len(p.jobs))
	for i, j := range p.jobs {
		made[i] = j.forC()
	}
	defer func() {
		for _, m := range made {
			C.drydock_free(m.bytes)
		}
	}()
	base := C.drydock_base{
		jpeg_shrink: C.int(p.jpegShrink), webp_scale: C.double(p.webpScale),
		pages: C.int(p.pages), width: C.int(p.width), height: C.int(p.height),
	}
	if failure := C.drydock_make(picture, &base, &made[0], C.int(len(made))); failure != C.DRYDOCK_OK {
		return source, nil, explain(ctx, file, picture, format, failure)
	}
	C.drydock_forget_errors()
	return source, outputs(p, made, variants), nil
}

var crops = map[string]C.int{Fit: C.DRYDOCK_FIT, Attention: C.DRYDOCK_ATTENTION, Centre: C.DRYDOCK_CENTRE}

func (j job) forC() C.drydock_variant {
	return C.drydock_variant{
		width: C.int(j.width), height: C.int(j.height),
		crop: crops[j.crop], crop_width: C.int(j.cropWidth), crop_height: C.int(j.cropHeight),
		format:  map[Format]C.int{WebP: C.DRYDOCK_WEBP, AVIF: C.DRYDOCK_AVIF, JPEG: C.DRYDOCK_JPEG}[j.format],
		quality: C.int(j.quality), effort: C.int(j.effort),
	}
}

func outputs(p plan, made []C.drydock_variant, variants []Variant) []Output {
	bytes := make([][]byte, len(made))
	for i, m := range made {
		bytes[i] = C.GoBytes(m.bytes, C.int(m.length))
		if p.jobs[i].format == WebP {
			bytes[i] = withoutEXIF(bytes[i])
		}
	}
	outputs := make([]Output, len(variants))
	for i, variant := range variants {
		n := p.of[i]
		j := p.jobs[n]
		outputs[i] = Output{Variant: variant.Name, Width: j.width, Height: j.height,
			Pages: int(made[n].pages), Format: j.format, Bytes: bytes[n]}
		if j.crop != Fit {
			outputs[i].Width, outputs[i].Height = j.cropWidth, j.cropHeight
		}
	}
	return outputs
}

// explain turns a failure into an error. Only the code decides whether the picture is to blame, for
// libvips's text may be about another picture; text about memory is believed whoever's it is, because
// the cost is a retry.
func explain(ctx context.Context, file *os.File, picture *C.drydock_picture, format string, failure C.int) error {
	text := C.drydock_error()
	detail := tidy(C.GoString(text))
	C.drydock_free(unsafe.Pointer(text))
	switch failure {
	case C.DRYDOCK_CANCELLED:
		return context.Cause(ctx)
	case C.DRYDOCK_TIME:
		return ErrTime
	case C.DRYDOCK_INPUT:
		return &os.PathError{Op: "read", Path: file.Name(), Err: syscall.Errno(picture.error)}
	}
	if outOfMemory(detail) {
		return fmt.Errorf("%w: %s", ErrMemory, detail)
	}
	if failure == C.DRYDOCK_OUTPUT {
		return fmt.Errorf("make variants: %s", detail)
	}
	rejected := &Rejected{Reason: "The picture is damaged.", Detail: detail}
	if endsEarly(file, int64(picture.size), format, picture.ended != 0) {
		rejected.Reason = endless
	}
	return rejected
}

// outOfMemory knows the words of libvips, libjpeg and the system. libheif's own are used for files that ask
// for more than it ever gives, too.
func outOfMemory(detail string) bool {
	for _, words := range []string{
		"out of memory", "Insufficient memory", "Cannot allocate memory", "failed to allocate", "unable to allocate",
	} {
		if strings.Contains(detail, words) {
			return true
		}
	}
	return false
}

func tidy(text string) string {
	const most = 500
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "?")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

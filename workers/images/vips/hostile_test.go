package vips

import (
	"bytes"
	"context"
	"errors"
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func requireRejected(t *testing.T, err error, reason string) {
	t.Helper()
	var rejected *Rejected
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, reason, rejected.Reason, rejected.Detail)
}

func transformBytes(t *testing.T, data []byte) error {
	t.Helper()
	_, _, err := transformPath(t.Context(), write(t, data), DefaultVariants(), DefaultLimits())
	return err
}

func TestWhatIsNoPictureIsRejected(t *testing.T) {
	t.Parallel()
	for data, reason := range map[string]string{
		"":                          "The file is empty.",
		"hello":                     unreadable,
		"\xff":                      unreadable,
		"\x00\x00\x00\x00\x00\x00":  unreadable,
		"RIFF\x00\x00\x00\x00WAVE":  unreadable,
		"%PDF-1.7":                  "PDF documents are not accepted: send a picture of the page instead.",
		"II*\x00":                   "TIFF pictures are not accepted: save it as JPEG or PNG.",
		"BM\x00\x00":                "BMP pictures are not accepted: save it as JPEG or PNG.",
		"<!DOCTYPE html><html>":     "The file is a web page, not a picture.",
		"\xef\xbb\xbf<SVG/>":        "SVG pictures are not accepted: they can contain programs.",
		"P6 1 1 255 aaa":            unreadable,
		"\x00\x00\x00\x18ftypmp42":  "The file is a video, not a picture.",
		"<?xml version='1.0'?><a/>": "XML documents are not accepted: they can contain programs.",
		`<?xml version="1.0"?><svg><image href="file:///etc/passwd"/></svg>`: "SVG pictures are not accepted: they can contain programs.",
		"\xff\xd8\xff":             "The file ends before the picture does.",
		"\x89PNG\r\n\x1a\n":        "The file ends before the picture does.",
		"GIF89a":                   "The file ends before the picture does.",
		"RIFF\xff\x00\x00\x00WEBP": "The file ends before the picture does.",
		"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00":       "The file ends before the picture does.",
		"\x89PNG\r\n\x1a\n" + string(make([]byte, 9000)): "The picture is damaged.",
	} {
		requireRejected(t, transformBytes(t, []byte(data)), reason)
	}
}

func TestTruncatedFilesAreRejected(t *testing.T) {
	t.Parallel()
	plain := noise(120, 90)
	for name, data := range map[string][]byte{
		"jpeg": asJPEG(plain), "png": asPNG(plain), "webp": same(t, asPNG(plain), WebP),
		"avif": same(t, asPNG(plain), AVIF), "gif": animation(120, 90, 3), "animated webp": same(t, animation(120, 90, 3), WebP),
		"progressive": progressive(64, 64, 1, 3),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, transformBytes(t, data))
			for i := range 40 {
				length := 12 + (len(data)-12)*i/41
				requireRejected(t, transformBytes(t, data[:length]), "The file ends before the picture does.")
			}
		})
	}
}

func TestDamagedFilesNeverCrash(t *testing.T) {
	t.Parallel()
	for name, data := range seeds(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range 60 {
				broken := bytes.Clone(data)
				for j := range 3 {
					broken[(i*len(data)/60+j*7)%len(data)] ^= byte(1 << (i % 8))
				}
				var rejected *Rejected
				if err := transformBytes(t, broken); err != nil {
					require.ErrorAs(t, err, &rejected)
				}
			}
		})
	}
}

func TestBombsAreRefusedByTheirHeader(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	limits.Time = time.Hour // so that only the bounds can refuse
	for reason, data := range map[string][]byte{
		"The picture is too large: 50000×50000 is 2500 megapixels, and 50 is the most.": flatPNG(
			pngHeader{width: 50000, height: 50000, depth: 1}, 50000*6251),
		"The picture is too large: 5001×5000 is 26 megapixels, and 25 is the most when it is interlaced.": flatPNG(
			pngHeader{width: 5001, height: 5000, depth: 8, colour: 6, interlaced: 1}, 100),
		"The picture is too large: it is 20000×10 pixels, and 16383 a side is the most.": flatPNG(
			pngHeader{width: 20000, height: 10, depth: 8}, 200010),
		"The picture is too large: 60000×60000 is 3600 megapixels, and 50 is the most.": progressive(60000, 60000, 1, 1),
		"The picture is too large: 6000×5000 is 30 megapixels, and 25 is the most when it is progressive.": progressive(
			6000, 5000, 1, 1),
		"The picture is too large: 65535×65535 is 4295 megapixels, and 50 is the most.": hugeGIF(65535, 65535),
	} {
		_, _, err := transformPath(t.Context(), write(t, data), DefaultVariants(), limits)
		requireRejected(t, err, reason)
	}
}

// hugeGIF has one frame that says it is huge, and holds hardly a pixel.
func hugeGIF(width, height uint16) []byte {
	size := []byte{byte(width), byte(width >> 8), byte(height), byte(height >> 8)}
	return bytes.Join([][]byte{
		[]byte("GIF89a"), size, {0x80, 0, 0}, {0, 0, 0, 255, 255, 255},
		[]byte(",\x00\x00\x00\x00"), size, {0}, {2, 2, 0x44, 1, 0}, []byte(";"),
	}, nil)
}

func TestFilesAreBounded(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	limits.File = 1 << 20
	data := append(asJPEG(quarters(8, 8)), make([]byte, 3<<20)...)
	_, _, err := transformPath(t.Context(), write(t, data), DefaultVariants(), limits)
	requireRejected(t, err, "The file is too large: it has 3 MB, and 1 is the most.")
}

// slow is a picture that takes seconds: longer than any limit below.
func slow(t *testing.T, kind string) string {
	switch kind {
	case "rows":
		return write(t, flatPNG(pngHeader{width: 7000, height: 7000, depth: 16, colour: 6}, 7000*56001))
	case "scans":
		return write(t, progressive(5000, 5000, 1, 40000))
	}
	return write(t, animation(2000, 2000, 12))
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rows", "scans", "frames"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			limits := DefaultLimits()
			limits.Time = 100 * time.Millisecond
			path := slow(t, kind)
			start := time.Now()
			_, _, err := transformPath(t.Context(), path, DefaultVariants(), limits)
			require.ErrorIs(t, err, ErrTime)
			require.Less(t, time.Since(start), 10*time.Second)
		})
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	reason := errors.New("draining")
	for _, kind := range []string{"rows", "scans", "frames"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			path := slow(t, kind)
			ctx, cancel := context.WithCancelCause(t.Context())
			timer := time.AfterFunc(100*time.Millisecond, func() { cancel(reason) })
			defer timer.Stop()
			start := time.Now()
			_, _, err := transformPath(ctx, path, DefaultVariants(), DefaultLimits())
			require.ErrorIs(t, err, reason)
			require.Less(t, time.Since(start), 10*time.Second)

			_, _, err = transformPath(ctx, path, DefaultVariants(), DefaultLimits())
			require.ErrorIs(t, err, reason)
		})
	}
}

// seeds are small pictures of every kind that is read.
func seeds(tb testing.TB) map[string][]byte {
	tb.Helper()
	small := quarters(24, 16)
	alpha := image.NewNRGBA(image.Rect(0, 0, 9, 9))
	return map[string][]byte{
		"jpeg": asJPEG(small), "png": asPNG(small), "gif": animation(12, 9, 3), "webp": same(tb, asPNG(small), WebP),
		"avif": same(tb, asPNG(small), AVIF), "moving webp": same(tb, animation(12, 9, 3), WebP), "alpha": asPNG(alpha),
		"exif": into(asJPEG(small), exifSegment(6)), "cmyk": flatJPEG(128, -200, 255, 130), "progressive": progressive(24, 16, 1, 2),
		"interlaced": flatPNG(pngHeader{width: 8, height: 8, depth: 8, interlaced: 1}, 64+15),
		"profile":    into(asJPEG(small), segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile(true)...))),
	}
}

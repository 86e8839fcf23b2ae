package vips

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The pictures that the tests use, made here: nothing is read from the machine.

var (
	red   = color.RGBA{220, 30, 30, 255}
	green = color.RGBA{30, 200, 30, 255}
	blue  = color.RGBA{30, 30, 220, 255}
	white = color.RGBA{255, 255, 255, 255}
)

// quarters is a picture with a colour in each corner: red, green; blue, white.
func quarters(width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, [2][2]color.RGBA{{red, green}, {blue, white}}[2*y/height][2*x/width])
		}
	}
	return img
}

// noise is a picture without two equal rows, the same every time.
func noise(width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	state := uint32(1)
	for i := range img.Pix {
		state = state*1664525 + 1013904223
		img.Pix[i] = byte(state >> 24)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

func asJPEG(img image.Image) []byte {
	var out bytes.Buffer
	must(jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}))
	return out.Bytes()
}

func asPNG(img image.Image) []byte {
	var out bytes.Buffer
	must(png.Encode(&out, img))
	return out.Bytes()
}

// animation has one frame a colour, with delays in hundredths of a second.
func animation(width, height int, frames int) []byte {
	colours := color.Palette{red, green, blue, white, color.RGBA{}}
	g := gif.GIF{LoopCount: 3}
	for i := range frames {
		frame := image.NewPaletted(image.Rect(0, 0, width, height), colours)
		for p := range frame.Pix {
			frame.Pix[p] = byte(i % 4)
		}
		g.Image = append(g.Image, frame)
		g.Delay = append(g.Delay, 10*(i+1))
	}
	var out bytes.Buffer
	must(gif.EncodeAll(&out, &g))
	return out.Bytes()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// write puts a picture in a file of the test's own.
func write(tb testing.TB, data []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "picture")
	require.NoError(tb, os.WriteFile(path, data, 0o600))
	return path
}

// one makes a single variant.
func one(tb testing.TB, data []byte, v Variant) (Source, Output) {
	tb.Helper()
	if v.Quality == 0 {
		v.Quality = 90
	}
	v.Name = "one"
	source, outputs, err := transformPath(context.Background(), write(tb, data), []Variant{v}, DefaultLimits())
	require.NoError(tb, err)
	require.Len(tb, outputs, 1)
	return source, outputs[0]
}

// same converts a picture without scaling it.
func same(tb testing.TB, data []byte, format Format) []byte {
	tb.Helper()
	_, output := one(tb, data, Variant{Width: MaxSide, Format: format})
	return output.Bytes
}

// pixels decodes any picture, through JPEG if need be.
func pixels(tb testing.TB, data []byte) image.Image {
	tb.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		_, output := one(tb, data, Variant{Width: MaxSide, Format: JPEG, Quality: 100})
		img, err = jpeg.Decode(bytes.NewReader(output.Bytes))
	}
	require.NoError(tb, err)
	return img
}

// looks checks that a pixel is close to a colour: every format here loses something.
func looks(tb testing.TB, want color.Color, img image.Image, x, y int) {
	tb.Helper()
	wr, wg, wb, _ := want.RGBA()
	r, g, b, _ := img.At(x, y).RGBA()
	for _, pair := range [][2]uint32{{wr, r}, {wg, g}, {wb, b}} {
		require.InDelta(tb, int(pair[0]>>8), int(pair[1]>>8), 24, "at %d,%d: want %v, is %v", x, y, want, img.At(x, y))
	}
}

// --- PNG by hand --------------------------------------------------------------------------------

type pngHeader struct {
	width, height uint32
	depth, colour byte
	_, _          byte // compression and filter: there is one of each
	interlaced    byte
}

func chunk(name string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// flatPNG is a valid PNG of length zero bytes before compression, which need not be held to be made.
func flatPNG(h pngHeader, length int64) []byte {
	var packed bytes.Buffer
	w, err := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	must(err)
	_, err = io.CopyN(w, zeros{}, length)
	must(err)
	must(w.Close())
	var head bytes.Buffer
	must(binary.Write(&head, binary.BigEndian, h))
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", head.Bytes())...)
	out = append(out, chunk("IDAT", packed.Bytes())...)
	return append(out, chunk("IEND", nil)...)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// --- JPEG by hand -------------------------------------------------------------------------------

func segment(marker byte, data []byte) []byte {
	out := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2))
	return append(out, data...)
}

// into puts segments after the start marker of a JPEG.
func into(picture []byte, segments ...[]byte) []byte {
	return bytes.Join([][]byte{picture[:2], bytes.Join(segments, nil), picture[2:]}, nil)
}

// flatJPEG is a baseline JPEG of one block, whose components are each of one value, given as twice its
// distance from 128, from -255 to -128 or from 128 to 255. Four components are CMYK.
func flatJPEG(values ...int) []byte {
	n := byte(len(values))
	quant := append([]byte{0}, bytes.Repeat([]byte{4}, 64)...)
	frame := []byte{8, 0, 8, 0, 8, n}
	scan := []byte{n}
	for i := range n {
		frame = append(frame, i+1, 0x11, 0)
		scan = append(scan, i+1, 0)
	}
	// One code each: DC, 0 for category 8; AC, 0 for the end of the block.
	dc := append(append([]byte{0x00, 1}, make([]byte, 15)...), 8)
	ac := append(append([]byte{0x10, 1}, make([]byte, 15)...), 0)
	var bits []byte
	for _, v := range values {
		bits = append(bits, 0)
		magnitude := v
		if v < 0 {
			magnitude = v + 255
		}
		for b := 7; b >= 0; b-- {
			bits = append(bits, byte(magnitude>>b)&1)
		}
		bits = append(bits, 0)
	}
	for len(bits)%8 != 0 {
		bits = append(bits, 1)
	}
	var data []byte
	for i := 0; i < len(bits); i += 8 {
		var b byte
		for _, bit := range bits[i : i+8] {
			b = b<<1 | bit
		}
		data = append(data, b)
		if b == 0xff {
			data = append(data, 0)
		}
	}
	return bytes.Join([][]byte{
		{0xff, 0xd8}, segment(0xdb, quant), segment(0xc0, frame), segment(0xc4, dc), segment(0xc4, ac),
		segment(0xda, append(scan, 0, 63, 0)), data, {0xff, 0xd9},
	}, nil)
}

// progressive is a progressive JPEG of many empty scans: the costliest picture there is to its size.
func progressive(width, height uint16, components, scans int) []byte {
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), byte(components)}
	first := []byte{byte(components)}
	for i := range byte(components) {
		frame, first = append(frame, i+1, 0x11, 0), append(first, i+1, 0)
	}
	dc := append(append([]byte{0x00, 1}, make([]byte, 15)...), 0)
	ac := append(append([]byte{0x10, 1}, make([]byte, 15)...), 0xe0) // the next 2^14 blocks, and more, are empty
	blocks := (int(width) + 7) / 8 * ((int(height) + 7) / 8)
	scan := append(segment(0xda, []byte{1, 1, 0, 1, 63, 0}), make([]byte, 2*(blocks/16384+1))...)
	return bytes.Join([][]byte{
		{0xff, 0xd8}, segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)),
		segment(0xc2, frame), segment(0xc4, dc), segment(0xc4, ac),
		segment(0xda, append(first, 0, 0, 0)), make([]byte, (blocks*components+7)/8),
		bytes.Repeat(scan, scans), {0xff, 0xd9},
	}, nil)
}

// --- WebP by hand -------------------------------------------------------------------------------

// flatWebP is a lossless WebP of one colour, of any size in 30 bytes.
func flatWebP(width, height int) []byte {
	var bits uint64
	at := 0
	put := func(value uint64, count int) { bits |= value << at; at += count }
	data := []byte{0x2f}
	put(uint64(width-1), 14)
	put(uint64(height-1), 14)
	put(0, 1+3+1+1+1) // no alpha, version, no transform, no cache, no groups
	for range 5 {     // five codes, each of the one symbol 0, in its shortest form
		put(1, 4)
	}
	data = binary.LittleEndian.AppendUint64(data, bits)
	body := append([]byte("WEBPVP8L"), byte(len(data)), 0, 0, 0)
	body = append(append(body, data...), make([]byte, len(data)%2)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// transformPath transforms the file at a path.
func transformPath(ctx context.Context, path string, variants []Variant, limits Limits) (Source, []Output, error) {
	file, err := os.Open(path)
	if err != nil {
		return Source{}, nil, err
	}
	defer file.Close()
	return Transform(ctx, file, variants, limits)
}

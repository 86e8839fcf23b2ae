package vips

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// secret stands in every piece of metadata of the sources below.
const secret = "SECRET"

// exif is a TIFF block with an orientation, a camera and a position.
func exif(orientation int) []byte {
	order := binary.LittleEndian
	entry := func(tag, kind uint16, count, value uint32) []byte {
		out := order.AppendUint16(nil, tag)
		out = order.AppendUint16(out, kind)
		out = order.AppendUint32(out, count)
		return order.AppendUint32(out, value)
	}
	out := []byte("II*\x00\x08\x00\x00\x00")
	out = append(out, 3, 0)
	out = append(out, entry(0x10f, 2, 7, 50)...) // camera
	out = append(out, entry(0x112, 3, 1, uint32(orientation))...)
	out = append(out, entry(0x8825, 4, 1, 58)...) // position
	out = append(out, 0, 0, 0, 0)                 // at 46: no more
	out = append(out, secret+"\x00\x00"...)       // at 50
	out = append(out, 2, 0)                       // at 58
	out = append(out, entry(1, 2, 2, 'N')...)
	out = append(out, entry(2, 5, 3, 88)...)
	out = append(out, 0, 0, 0, 0)
	for _, n := range []uint32{51, 1, 30, 1, 7, 1} { // at 88: 51° 30′ 7″
		out = order.AppendUint32(out, n)
	}
	return out
}

func exifSegment(orientation int) []byte {
	return segment(0xe1, append([]byte("Exif\x00\x00"), exif(orientation)...))
}

var xmp = []byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/">` + secret + `</x:xmpmeta>`)

func jpegWithMetadata() []byte {
	iptc := append([]byte("Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x0c\x1c\x02\x05\x00\x06"), secret...)
	return into(asJPEG(quarters(300, 200)),
		exifSegment(1),
		segment(0xe1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), xmp...)),
		segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile(false)...)),
		segment(0xed, iptc),
		segment(0xfe, []byte(secret)))
}

func pngWithMetadata() []byte {
	plain := asPNG(quarters(300, 200))
	const header = 8 + 25
	return bytes.Join([][]byte{
		plain[:header], chunk("tEXt", []byte("Comment\x00"+secret)), chunk("eXIf", exif(1)),
		chunk("iTXt", append([]byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"), xmp...)), plain[header:],
	}, nil)
}

// webpWithMetadata wraps a plain WebP in the extended form.
func webpWithMetadata(t *testing.T) []byte {
	plain := same(t, asPNG(quarters(300, 200)), WebP)
	part := func(name string, data []byte) []byte {
		out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data)))
		out = append(out, data...)
		return append(out, make([]byte, len(data)%2)...)
	}
	const hasEXIF, hasXMP = 8, 4
	body := bytes.Join([][]byte{
		[]byte("WEBP"), part("VP8X", []byte{hasEXIF | hasXMP, 0, 0, 0, 43, 1, 0, 199, 0, 0}), plain[12:],
		part("EXIF", exif(1)), part("XMP ", xmp),
	}, nil)
	return part("RIFF", body)
}

func TestNoMetadataGetsOut(t *testing.T) {
	t.Parallel()
	sources := map[string][]byte{
		"jpeg": jpegWithMetadata(), "png": pngWithMetadata(), "webp": webpWithMetadata(t),
		"gif": bytes.Replace(animation(300, 200, 3), []byte("\x21\xf9"),
			[]byte("\x21\xfe\x06"+secret+"\x00\x21\xf9"), 1),
	}
	for name, data := range sources {
		require.Contains(t, string(data), secret)
		for _, format := range []Format{WebP, AVIF, JPEG} {
			for _, width := range []int{300, 100} {
				for _, crop := range []string{Fit, Attention} {
					_, output := one(t, data, Variant{Width: width, Height: 100, Crop: crop, Format: format})
					for _, trace := range []string{
						secret, "Exif", "EXIF", "II*\x00", "MM\x00*", "XMP ", "xmpmeta", "Photoshop", "ICCP", "ICC_PROFILE",
						"acsp", "http", "libvips",
					} {
						require.NotContains(t, string(output.Bytes), trace, "%s to %s", name, format)
					}
				}
			}
		}
	}
}

// profile is an ICC profile of RGB with the primaries of sRGB; swapped exchanges red and green.
func profile(swapped bool) []byte {
	order := binary.BigEndian
	xyz := func(x, y, z float64) []byte {
		out := []byte("XYZ \x00\x00\x00\x00")
		for _, v := range []float64{x, y, z} {
			out = order.AppendUint32(out, uint32(int32(v*65536)))
		}
		return out
	}
	r, g := xyz(0.4361, 0.2225, 0.0139), xyz(0.3851, 0.7169, 0.0971)
	if swapped {
		r, g = g, r
	}
	curve := []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01\x02\x33\x00\x00") // gamma 2.2
	text := []byte("text\x00\x00\x00\x00none\x00\x00\x00\x00")
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", text}, {"cprt", text}, {"wtpt", xyz(0.9642, 1, 0.8249)}, {"rXYZ", r}, {"gXYZ", g},
		{"bXYZ", xyz(0.1431, 0.0606, 0.7139)}, {"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	table := order.AppendUint32(nil, uint32(len(tags)))
	var data []byte
	for _, tag := range tags {
		table = append(table, tag.name...)
		table = order.AppendUint32(table, uint32(128+4+12*len(tags)+len(data)))
		table = order.AppendUint32(table, uint32(len(tag.data)))
		data = append(data, tag.data...)
	}
	head := make([]byte, 128)
	order.PutUint32(head, uint32(128+len(table)+len(data)))
	order.PutUint32(head[8:], 0x02400000)
	copy(head[12:], "mntrRGB XYZ ")
	copy(head[36:], "acsp")
	copy(head[68:], xyz(0.9642, 1, 0.8249)[8:])
	return bytes.Join([][]byte{head, table, data}, nil)
}

func TestProfileIsApplied(t *testing.T) {
	t.Parallel()
	plain := asJPEG(quarters(300, 200))
	with := func(profile []byte) []byte {
		return into(plain, segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile...)))
	}
	img := pixels(t, same(t, with(profile(false)), WebP))
	looks(t, red, img, 10, 10)
	img = pixels(t, same(t, with(profile(true)), WebP))
	r, g, _, _ := img.At(10, 10).RGBA()
	require.Greater(t, g, r)
}

func TestProfileThatCannotBeUsedIsIgnored(t *testing.T) {
	t.Parallel()
	wrong := profile(false)
	copy(wrong[16:], "GRAY")
	for name, data := range map[string][]byte{
		"rubbish": []byte("rubbish"), "cut": profile(false)[:200], "zeros": make([]byte, 3000), "grey": wrong,
	} {
		source := into(asJPEG(quarters(300, 200)), segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), data...)))
		img := pixels(t, same(t, source, WebP))
		if name != "grey" {
			looks(t, red, img, 10, 10)
		}
	}
	grey := into(flatJPEG(128), segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile(false)...)))
	same(t, grey, WebP)
}

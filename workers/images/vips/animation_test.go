package vips

import (
	"encoding/binary"
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"
)

// frames reads the delays, in milliseconds, and the loop count of an animated WebP.
func frames(data []byte) (delays []int, loops int) {
	for at := 12; at+8 <= len(data); {
		length := int(binary.LittleEndian.Uint32(data[at+4:]))
		switch body := data[at+8:]; string(data[at : at+4]) {
		case "ANIM":
			loops = int(binary.LittleEndian.Uint16(body[4:]))
		case "ANMF":
			delays = append(delays, int(binary.LittleEndian.Uint32(body[12:])&0xffffff))
		}
		at += 8 + length + length%2
	}
	return delays, loops
}

func TestAnimationsStayAnimated(t *testing.T) {
	t.Parallel()
	source := animation(300, 200, 4)
	for range 2 { // from GIF, then from WebP
		for _, v := range []Variant{
			{Width: 300}, {Width: 150}, {Width: 80, Height: 80, Crop: Centre}, {Width: 80, Height: 80, Crop: Attention},
		} {
			v.Format = WebP
			found, output := one(t, source, v)
			require.Equal(t, 4, found.Pages)
			require.Equal(t, 4, output.Pages)
			delays, loops := frames(output.Bytes)
			require.Equal(t, []int{100, 200, 300, 400}, delays)
			require.Equal(t, 4, loops) // GIF counts repeats, WebP plays
			looks(t, red, pixels(t, output.Bytes), 5, 5)
		}
		source = same(t, source, WebP)
	}
}

func TestEveryFrameIsCroppedAlike(t *testing.T) {
	t.Parallel()
	// The first frame says where: later ones are taken at the same place, whatever they show.
	_, output := one(t, animation(301, 97, 3), Variant{Width: 33, Height: 32, Crop: Attention, Format: WebP})
	require.Equal(t, 3, output.Pages)
	for i, want := range []color.RGBA{red, green, blue} {
		looks(t, want, pixels(t, frame(output.Bytes, i)), 5, 5)
	}
}

// frame makes a still WebP of one frame that fills the canvas.
func frame(data []byte, n int) []byte {
	for at := 12; at+8 <= len(data); {
		length := int(binary.LittleEndian.Uint32(data[at+4:]))
		if string(data[at:at+4]) == "ANMF" {
			if n == 0 {
				still := append([]byte("WEBP"), data[at+8+16:at+8+length]...)
				return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(still))), still...)
			}
			n--
		}
		at += 8 + length + length%2
	}
	return nil
}

func TestAnimationToStillTakesTheFirstFrame(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{AVIF, JPEG} {
		for _, crop := range []string{Fit, Centre} {
			data := animation(300, 200, 4)
			source, output := one(t, data, Variant{Width: 90, Height: 60, Crop: crop, Format: format})
			require.Equal(t, 4, source.Pages)
			require.Equal(t, 1, output.Pages)
			img := pixels(t, output.Bytes)
			require.Equal(t, 60, img.Bounds().Dy())
			looks(t, red, img, 45, 30)
		}
	}
}

func TestAnimationToBoth(t *testing.T) {
	t.Parallel()
	variants := []Variant{
		{Name: "moving", Width: 100, Format: WebP, Quality: 80},
		{Name: "still", Width: 200, Height: 200, Crop: Attention, Format: JPEG, Quality: 80},
	}
	_, outputs, err := transformPath(t.Context(), write(t, animation(300, 200, 4)), variants, DefaultLimits())
	require.NoError(t, err)
	require.Equal(t, 4, outputs[0].Pages)
	require.Equal(t, 1, outputs[1].Pages)
	looks(t, red, pixels(t, outputs[1].Bytes), 100, 100)
}

func TestAnimationsAreBounded(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	limits.Frames = 10
	_, _, err := transformPath(t.Context(), write(t, animation(10, 10, 11)), DefaultVariants(), limits)
	requireRejected(t, err, "The animation is too long: it has more than 10 frames.")
	_, _, err = transformPath(t.Context(), write(t, animation(4000, 4000, 4)), DefaultVariants(), DefaultLimits())
	requireRejected(t, err,
		"The picture is too large: 4 frames of 4000×4000 are 64 megapixels, and 50 is the most.")
	_, _, err = transformPath(t.Context(), write(t, same(t, animation(10, 10, 11), WebP)), DefaultVariants(), limits)
	requireRejected(t, err, "The animation is too long: it has more than 10 frames.")
	still := []Variant{{Name: "still", Width: 100, Format: JPEG, Quality: 80}}
	_, _, err = transformPath(t.Context(), write(t, animation(4000, 4000, 4)), still, DefaultLimits())
	require.NoError(t, err) // only the first frame is read
}

package vips

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefaultVariantsOfAPicture(t *testing.T) {
	t.Parallel()
	path := write(t, asJPEG(quarters(2000, 1000)))
	source, outputs, err := transformPath(t.Context(), path, DefaultVariants(), DefaultLimits())
	require.NoError(t, err)
	require.Equal(t, Source{Format: "jpeg", Width: 2000, Height: 1000, Pages: 1}, source)
	require.Len(t, outputs, 3)
	for i, want := range []Output{
		{Variant: "thumb", Width: 160, Height: 160}, {Variant: "small", Width: 640, Height: 320},
		{Variant: "large", Width: 1280, Height: 640},
	} {
		got := outputs[i]
		require.Equal(t, want.Variant, got.Variant)
		require.Equal(t, WebP, got.Format)
		require.Equal(t, 1, got.Pages)
		img := pixels(t, got.Bytes)
		require.Equal(t, image.Pt(want.Width, want.Height), img.Bounds().Size())
		require.Equal(t, image.Pt(got.Width, got.Height), img.Bounds().Size())
		if want.Variant != "thumb" {
			looks(t, red, img, 2, 2)
			looks(t, white, img, want.Width-3, want.Height-3)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	original := quarters(300, 200)
	sources := map[string][]byte{"jpeg": asJPEG(original), "png": asPNG(original), "gif": animation(300, 200, 1)}
	sources["webp"] = same(t, sources["png"], WebP)
	sources["avif"] = same(t, sources["png"], AVIF)
	for name, data := range sources {
		for _, format := range []Format{WebP, AVIF, JPEG} {
			t.Run(name+" to "+string(format), func(t *testing.T) {
				t.Parallel()
				source, output := one(t, data, Variant{Width: 150, Format: format})
				require.Equal(t, Source{Format: name, Width: 300, Height: 200, Pages: 1}, source)
				start := output.Bytes[:min(len(output.Bytes), sniffLength)]
				found, err := sniff(start)
				require.NoError(t, err)
				require.Equal(t, string(format), found)
				img := pixels(t, output.Bytes)
				require.Equal(t, image.Pt(150, 100), img.Bounds().Size())
				looks(t, red, img, 10, 10)
				if name != "gif" {
					looks(t, blue, img, 10, 90)
				}
			})
		}
	}
}

func TestOrientationIsApplied(t *testing.T) {
	t.Parallel()
	r, g, b, w := red, green, blue, white
	seen := map[int][4]color.RGBA{ // top left, top right, bottom left, bottom right
		1: {r, g, b, w}, 2: {g, r, w, b}, 3: {w, b, g, r}, 4: {b, w, r, g},
		5: {r, b, g, w}, 6: {b, r, w, g}, 7: {w, g, b, r}, 8: {g, w, r, b},
	}
	picture := asJPEG(quarters(1600, 800))
	for orientation, corners := range seen {
		t.Run(fmt.Sprint(orientation), func(t *testing.T) {
			t.Parallel()
			data := into(picture, exifSegment(orientation))
			source, output := one(t, data, Variant{Width: 100, Height: 100, Format: JPEG})
			width, height := 100, 50
			if orientation >= 5 {
				width, height = height, width
			}
			require.Equal(t, [2]int{16 * width, 16 * height}, [2]int{source.Width, source.Height})
			img := pixels(t, output.Bytes)
			require.Equal(t, image.Pt(width, height), img.Bounds().Size())
			looks(t, corners[0], img, 5, 5)
			looks(t, corners[1], img, width-6, 5)
			looks(t, corners[2], img, 5, height-6)
			looks(t, corners[3], img, width-6, height-6)
		})
	}
}

func TestNothingIsEnlarged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source  image.Point
		variant Variant
		want    image.Point
	}{
		{image.Pt(100, 50), Variant{Width: 640}, image.Pt(100, 50)},
		{image.Pt(100, 50), Variant{Height: 640}, image.Pt(100, 50)},
		{image.Pt(300, 100), Variant{Width: 160, Height: 160, Crop: Centre}, image.Pt(100, 100)},
		{image.Pt(30, 20), Variant{Width: 320, Height: 160, Crop: Attention}, image.Pt(30, 15)},
		{image.Pt(1, 1), Variant{Width: 160, Height: 160, Crop: Attention}, image.Pt(1, 1)},
		{image.Pt(1, 400), Variant{Width: 160, Height: 160, Crop: Centre}, image.Pt(1, 1)},
		{image.Pt(2000, 1), Variant{Width: 20}, image.Pt(20, 1)},
		{image.Pt(200, 100), Variant{Width: 50, Height: 50}, image.Pt(50, 25)},
	} {
		t.Run(fmt.Sprint(c.source, c.variant), func(t *testing.T) {
			t.Parallel()
			c.variant.Format = JPEG
			_, output := one(t, asPNG(quarters(c.source.X, c.source.Y)), c.variant)
			require.Equal(t, c.want, image.Pt(output.Width, output.Height))
			require.Equal(t, c.want, pixels(t, output.Bytes).Bounds().Size())
		})
	}
}

func TestCropCentre(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 300, 100))
	for x := range 300 {
		for y := range 100 {
			img.Set(x, y, [3]color.RGBA{red, green, blue}[x/100])
		}
	}
	_, output := one(t, asPNG(img), Variant{Width: 50, Height: 50, Crop: Centre, Format: JPEG})
	got := pixels(t, output.Bytes)
	for _, at := range []image.Point{{5, 5}, {44, 5}, {5, 44}, {44, 44}} {
		looks(t, green, got, at.X, at.Y)
	}
}

func TestAlpha(t *testing.T) {
	t.Parallel()
	img := image.NewNRGBA(image.Rect(0, 0, 200, 100))
	for x := range 100 {
		for y := range 100 {
			img.Set(x, y, red)
		}
	}
	data := asPNG(img)
	for _, width := range []int{200, 100} {
		_, output := one(t, data, Variant{Width: width, Format: JPEG})
		got := pixels(t, output.Bytes)
		looks(t, red, got, width/4, 10)
		looks(t, white, got, width*3/4, 10)
	}
	for _, format := range []Format{WebP, AVIF} {
		_, output := one(t, data, Variant{Width: 100, Format: format})
		looks(t, white, pixels(t, output.Bytes), 75, 10) // still transparent, so white as JPEG
	}
}

func TestEveryKindOfPixel(t *testing.T) {
	t.Parallel()
	sources := map[string][]byte{"cmyk jpeg": flatJPEG(128, 255, -128, 255), "grey jpeg": flatJPEG(255)}
	for _, kind := range []struct{ colour, bands byte }{{0, 1}, {2, 3}, {4, 2}, {6, 4}} {
		for _, depth := range []byte{8, 16} {
			for _, interlaced := range []byte{0, 1} {
				h := pngHeader{width: 64, height: 64, depth: depth, colour: kind.colour, interlaced: interlaced}
				rows := int64(64)
				if interlaced == 1 { // the rows of the seven passes
					rows = 8 + 8 + 8 + 16 + 16 + 32 + 32
				}
				size := int64(64*64)*int64(kind.bands)*int64(depth)/8 + rows
				sources[fmt.Sprintf("png of %d bands, %d bits, interlaced %d", kind.bands, depth, interlaced)] = flatPNG(h, size)
			}
		}
	}
	for _, depth := range []byte{1, 2, 4} {
		sources[fmt.Sprintf("grey png, %d bits", depth)] =
			flatPNG(pngHeader{width: 64, height: 64, depth: depth}, 64*(1+8*int64(depth)))
	}
	for name, data := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, format := range []Format{WebP, AVIF, JPEG} {
				_, output := one(t, data, Variant{Width: 32, Height: 32, Crop: Attention, Format: format})
				require.NotEmpty(t, output.Bytes)
				require.Equal(t, output.Width, pixels(t, output.Bytes).Bounds().Dx())
			}
		})
	}
}

func TestCMYKBecomesRGB(t *testing.T) {
	t.Parallel()
	// Stored inverted, as every program does: 255 is no ink.
	img := pixels(t, same(t, flatJPEG(254, 254, 254, 254), WebP))
	looks(t, white, img, 4, 4)
	img = pixels(t, same(t, flatJPEG(-255, 254, 254, 254), WebP)) // all cyan
	r, _, b, _ := img.At(4, 4).RGBA()
	require.Greater(t, b, r+0x4000)
}

func TestSixteenBitsBecomeEight(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA64(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	looks(t, white, pixels(t, same(t, asPNG(img), WebP)), 32, 32)
}

func TestSameInSameOut(t *testing.T) {
	t.Parallel()
	variants := append(DefaultVariants(),
		Variant{Name: "avif", Width: 200, Format: AVIF, Quality: 50, Effort: 2},
		Variant{Name: "jpeg", Width: 200, Height: 100, Crop: Attention, Format: JPEG, Quality: 80})
	paths := []string{write(t, asJPEG(noise(1500, 900))), write(t, animation(300, 200, 5))}
	for _, path := range paths {
		var all sync.Map
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				for range 3 {
					_, outputs, err := transformPath(context.Background(), path, variants, DefaultLimits())
					if err != nil {
						t.Error(err)
						return
					}
					sum := sha256.New()
					for _, output := range outputs {
						sum.Write(output.Bytes)
					}
					all.Store(fmt.Sprintf("%x", sum.Sum(nil)), true)
				}
			})
		}
		group.Wait()
		different := 0
		all.Range(func(any, any) bool { different++; return true })
		require.Equal(t, 1, different)
	}
}

func TestVariantsThatComeOutTheSameAreEncodedOnce(t *testing.T) {
	t.Parallel()
	_, outputs, err := transformPath(t.Context(), write(t, asJPEG(quarters(300, 300))), DefaultVariants(), DefaultLimits())
	require.NoError(t, err)
	require.Same(t, &outputs[1].Bytes[0], &outputs[2].Bytes[0])
	require.False(t, bytes.Equal(outputs[0].Bytes, outputs[1].Bytes))
}

func TestWhatIsNotThePicturesFaultIsNotRejected(t *testing.T) {
	t.Parallel()
	var rejected *Rejected
	_, _, err := transformPath(t.Context(), "/nowhere", DefaultVariants(), DefaultLimits())
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorAs(t, err, &rejected)
	_, _, err = transformPath(t.Context(), t.TempDir(), DefaultVariants(), DefaultLimits())
	require.Error(t, err)
	require.NotErrorAs(t, err, &rejected)
	_, _, err = transformPath(t.Context(), write(t, asJPEG(quarters(10, 10))), nil, DefaultLimits())
	require.ErrorContains(t, err, "the list is empty")
}

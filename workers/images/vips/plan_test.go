package vips

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlanShrinksWhileLoading(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ width, base, shrink int }{
		{1000, 1000, 1}, {5119, 1280, 1}, {5120, 1280, 2}, {10240, 1280, 4}, {16383, 1000, 8}, {16383, 10, 8},
	} {
		p := planFor(header{width: c.width, height: c.width, pages: 1, orientation: 1},
			[]Variant{{Width: c.base, Format: JPEG}, {Width: 5, Format: JPEG}})
		require.Equal(t, c.shrink, p.jpegShrink, c)
		require.Equal(t, c.base, p.width)
		require.InDelta(t, float64(c.base)/float64(c.width), p.webpScale, 1e-9)
	}
}

func TestPlanNeverExceedsSourceOrBox(t *testing.T) {
	t.Parallel()
	sides := []int{1, 2, 3, 99, 160, 161, 1279, 1280, 1281, 7919, 16383}
	for _, width := range sides {
		for _, height := range sides {
			for _, crop := range []string{Fit, Centre} {
				for orientation := 1; orientation <= 8; orientation++ {
					v := Variant{Width: 160, Height: 90, Crop: crop, Format: WebP}
					p := planFor(header{width: width, height: height, pages: 1, orientation: orientation}, []Variant{v})
					require.LessOrEqual(t, p.width, width)
					require.LessOrEqual(t, p.height, height)
					j := p.jobs[0]
					require.Positive(t, j.width)
					require.Positive(t, j.height)
					if crop == Fit {
						require.LessOrEqual(t, j.width, 160)
						require.LessOrEqual(t, j.height, 90)
						continue
					}
					require.LessOrEqual(t, j.cropWidth, min(160, j.width))
					require.LessOrEqual(t, j.cropHeight, min(90, j.height))
				}
			}
		}
	}
}

func TestPlanBoundsAFreeSide(t *testing.T) {
	t.Parallel()
	j := jobFor(1280, 200000, Variant{Width: 1280})
	require.Equal(t, MaxSide, j.height)
	require.Equal(t, 105, j.width)
}

func TestPlanLoadsFramesOnlyForWebP(t *testing.T) {
	t.Parallel()
	h := header{width: 10, height: 20, pages: 7, orientation: 6}
	p := planFor(h, []Variant{{Width: 5, Format: JPEG}})
	require.Equal(t, []int{1, 3, 5}, []int{p.pages, p.width, p.height}) // turned
	p = planFor(h, []Variant{{Width: 5, Format: JPEG}, {Width: 5, Format: WebP}})
	require.Equal(t, []int{7, 5, 10}, []int{p.pages, p.width, p.height}) // not turned
}

func TestLimitsOnMemory(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	for _, h := range []header{
		{format: "jpeg", width: 6000, height: 4000, bands: 3, depth: 1, interlaced: true},
		{format: "jpeg", width: 8000, height: 6250, bands: 4, depth: 1},
		{format: "png", width: 8000, height: 6250, bands: 4, depth: 2},
		{format: "png", width: 5000, height: 5000, bands: 4, depth: 2, interlaced: true},
		{format: "webp", width: 8000, height: 6250, bands: 3, depth: 1},
		{format: "heif", width: 6000, height: 4000, bands: 3, depth: 1},
	} {
		require.NoError(t, limits.check(h.load(1)), h)
	}
	for _, h := range []header{
		{format: "heif", width: 6000, height: 4000, bands: 3, depth: 2},
		{format: "gif", width: 8000, height: 6250, bands: 3, depth: 1},
		{format: "png", width: 16383, height: 10, bands: 4, depth: 1},
	} {
		require.ErrorContains(t, limits.check(h.load(1)), "MB of memory, and 320 is the most", h)
	}
	require.InDelta(t, 0.8e9, limits.Peak(DefaultVariants(), 1), 0.05e9)
}

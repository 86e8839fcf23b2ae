package vips

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzTransform holds that any file is transformed, rejected, or found too slow, and nothing else.
func FuzzTransform(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	limits := DefaultLimits()
	limits.Pixels, limits.InterlacedPixels, limits.Decoded, limits.Frames = 1_000_000, 500_000, 64<<20, 20
	limits.Time = 5 * time.Second
	variants := []Variant{
		{Name: "crop", Width: 16, Height: 12, Crop: Attention, Format: WebP, Quality: 80},
		{Name: "fit", Width: 20, Format: JPEG, Quality: 80},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, outputs, err := transformPath(context.Background(), write(t, data), variants, limits)
		var rejected *Rejected
		if err != nil {
			require.ErrorAs(t, err, &rejected)
			return
		}
		for i, output := range outputs {
			require.NotEmpty(t, output.Bytes)
			require.LessOrEqual(t, output.Width, variants[i].Width)
		}
	})
}

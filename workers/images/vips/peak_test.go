package vips

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkPeakMemory prints the largest resident size of a process that makes the default variants of
// one picture, for the costliest pictures within the limits: where the numbers of Limits come from.
func BenchmarkPeakMemory(b *testing.B) {
	rgba := pngHeader{width: 8000, height: 6250, depth: 16, colour: 6}
	interlaced := pngHeader{width: 5000, height: 5000, depth: 16, colour: 6, interlaced: 1}
	large := flatPNG(pngHeader{width: 8000, height: 6250, depth: 8, colour: 2}, 6250*24001)
	medium := flatPNG(pngHeader{width: 6000, height: 4000, depth: 8, colour: 2}, 4000*18001)
	for _, c := range []struct {
		name string
		make func() []byte
	}{
		{"small jpeg", func() []byte { return asJPEG(quarters(100, 100)) }},
		{"50MP png", func() []byte { return flatPNG(rgba, 6250*64001) }},
		{"25MP interlaced png", func() []byte { return flatPNG(interlaced, 5000*40000+60000) }},
		{"50MP jpeg", func() []byte { return same(b, large, JPEG) }},
		{"25MP progressive jpeg, 3 bands", func() []byte { return progressive(5000, 5000, 3, 1) }},
		{"25MP progressive jpeg, 4 bands", func() []byte { return progressive(5000, 5000, 4, 1) }},
		{"50MP lossless webp", func() []byte { return flatWebP(8000, 6250) }},
		{"50MP lossy webp", func() []byte { return same(b, large, WebP) }},
		{"32MP gif", func() []byte { return hugeGIF(6400, 5000) }},
		{"24MP avif, 4:4:4", func() []byte { return same(b, medium, AVIF) }},
		{"48MP gif, 12 frames", func() []byte { return animation(2000, 2000, 12) }},
		{"16383 wide png", func() []byte {
			return flatPNG(pngHeader{width: 16383, height: 3051, depth: 8, colour: 2}, 3051*49150)
		}},
		{"1280 wide, 16383 high, all noise", func() []byte { return asPNG(noise(1280, 16383)) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := write(b, c.make())
			for b.Loop() {
				out, err := peakOf(path)
				require.NoError(b, err, out)
				kb, err := strconv.Atoi(strings.Fields(out)[0])
				require.NoError(b, err)
				b.ReportMetric(float64(kb)/1024, "peak-MB")
				require.Less(b, int64(kb)<<10, DefaultLimits().Peak(DefaultVariants(), 1))
			}
		})
	}
}

// peakOf transforms a picture in a process of its own: see TestMain.
func peakOf(path string) (string, error) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), peakVariable+"="+path)
	out, err := child.CombinedOutput()
	return string(out), err
}

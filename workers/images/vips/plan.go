package vips

import "math"

// job is one picture to encode; variants that come out the same share one.
type job struct {
	width, height         int // scaled to this, after orientation
	crop                  string
	cropWidth, cropHeight int // then cropped to this
	format                Format
	quality, effort       int
}

// plan is how a picture is decoded once and what is made of it.
type plan struct {
	pages         int // to load
	width, height int // of one page of the base that the jobs are derived from, before orientation
	jpegShrink    int
	webpScale     float64
	jobs          []job
	of            []int // for each variant, its job
}

// planFor plans the variants of a picture. The base is as large as the largest of them needs.
func planFor(h header, variants []Variant) plan {
	p := plan{pages: pagesWanted(h, variants), jpegShrink: 1, webpScale: 1}
	turned := h.orientation >= 5 && p.pages == 1 // animations are not turned: no viewer turns them
	width, height := h.width, h.height
	if turned {
		width, height = height, width
	}
	seen := map[job]int{}
	for _, variant := range variants {
		j := jobFor(width, height, variant)
		if _, ok := seen[j]; !ok {
			seen[j] = len(p.jobs)
			p.jobs = append(p.jobs, j)
		}
		p.of = append(p.of, seen[j])
		p.width, p.height = max(p.width, j.width), max(p.height, j.height)
	}
	if turned {
		p.width, p.height = p.height, p.width
	}

	// Decoders that can shrink do it far faster than we. JPEG's is rough, so at least a factor of
	// two is left for a good filter: vips_thumbnail's own rule.
	shrink := min(float64(h.width)/float64(p.width), float64(h.height)/float64(p.height))
	for p.jpegShrink < 8 && shrink >= float64(4*p.jpegShrink) {
		p.jpegShrink *= 2
	}
	p.webpScale = min(1, 1/shrink)
	return p
}

// pagesWanted is all frames if any variant can be animated.
func pagesWanted(h header, variants []Variant) int {
	for _, variant := range variants {
		if variant.Format == WebP {
			return h.pages
		}
	}
	return 1
}

func jobFor(width, height int, v Variant) job {
	j := job{crop: v.Crop, format: v.Format, quality: v.Quality, effort: v.Effort}
	boxWidth, boxHeight := v.Width, v.Height
	if boxWidth == 0 {
		boxWidth = MaxSide
	}
	if boxHeight == 0 {
		boxHeight = MaxSide
	}
	across, down := float64(boxWidth)/float64(width), float64(boxHeight)/float64(height)
	if v.Crop == Fit {
		scale := min(1, across, down)
		j.width, j.height = scaled(width, scale), scaled(height, scale)
		return j
	}
	shrink := min(1, 1/across, 1/down)
	j.cropWidth, j.cropHeight = scaled(boxWidth, shrink), scaled(boxHeight, shrink)
	scale := max(float64(j.cropWidth)/float64(width), float64(j.cropHeight)/float64(height))
	j.width, j.height = max(j.cropWidth, scaled(width, scale)), max(j.cropHeight, scaled(height, scale))
	return j
}

func scaled(side int, scale float64) int {
	return max(1, int(math.Round(float64(side)*scale)))
}

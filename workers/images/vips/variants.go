package vips

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"sync"
)

// MaxSide is the longest side, in pixels, of any picture that is read or written: WebP has no larger.
const MaxSide = 16383

const maxVariants = 32

// Format is what a variant is encoded as.
type Format string

const (
	WebP Format = "webp"
	AVIF Format = "avif"
	JPEG Format = "jpeg"
)

// ContentType is the media type of the format.
func (f Format) ContentType() string { return "image/" + string(f) }

// Extension is what file names of the format end in, with the dot.
func (f Format) Extension() string {
	if f == JPEG {
		return ".jpg"
	}
	return "." + string(f)
}

// Crops of a variant.
const (
	Fit       = ""          // the whole picture, inside the box
	Attention = "attention" // fill the box, keep what draws the eye
	Centre    = "centre"    // fill the box, keep the middle
)

// Variant is one picture to make of every source. No picture is ever enlarged: a source smaller than
// the box keeps its size, and with a crop the box shrinks, keeping its shape, until the source fills it
// (a 300×100 source cropped to 160×160 becomes 100×100).
type Variant struct {
	Name    string `json:"name"`    // a-z, 0-9 and -, at most 32; unique
	Width   int    `json:"width"`   // 1 to MaxSide; 0 is free
	Height  int    `json:"height"`  // 1 to MaxSide; 0 is free
	Crop    string `json:"crop"`    // Fit, Attention or Centre
	Format  Format `json:"format"`  // default WebP
	Quality int    `json:"quality"` // 1 to 100; default 80, for AVIF 50
	Effort  int    `json:"effort"`  // 0 (fast) to 6 for WebP, to 9 for AVIF; default 4, for AVIF 2; none for JPEG
}

//go:embed variants.json
var defaultVariants []byte

// DefaultVariants are those of variants.json: thumb, small and large.
func DefaultVariants() []Variant {
	variants, err := ParseVariants(defaultVariants)
	if err != nil {
		panic(err) // the file is part of the program, and tested
	}
	return variants
}

// ParseVariants reads a JSON array of variants. It is strict: an error names the variant and the field.
func ParseVariants(data []byte) ([]Variant, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	var items []json.RawMessage
	if err := decoder.Decode(&items); err != nil {
		return nil, fmt.Errorf("variants: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("variants: something follows the list")
	}
	variants := make([]Variant, len(items))
	for i, item := range items {
		if err := variants[i].parse(item); err != nil {
			return nil, fmt.Errorf("variant %d (%q): %w", i+1, variants[i].Name, err)
		}
	}
	return variants, checkVariants(variants)
}

func (v *Variant) parse(item []byte) error {
	const unset = math.MinInt
	*v = Variant{Format: WebP, Quality: unset, Effort: unset}
	decoder := json.NewDecoder(bytes.NewReader(item))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	quality, effort := 80, 4
	switch v.Format {
	case AVIF:
		quality, effort = 50, 2
	case JPEG:
		effort = 0
	}
	if v.Quality == unset {
		v.Quality = quality
	}
	if v.Effort == unset {
		v.Effort = effort
	}
	return nil
}

func checkVariants(variants []Variant) error {
	if len(variants) == 0 {
		return errors.New("variants: the list is empty")
	}
	if len(variants) > maxVariants {
		return fmt.Errorf("variants: %d are listed, and %d is the most", len(variants), maxVariants)
	}
	seen := map[string]bool{}
	for i, variant := range variants {
		err := variant.check()
		if err == nil && seen[variant.Name] {
			err = errors.New("name: another variant has it")
		}
		if err != nil {
			return fmt.Errorf("variant %d (%q): %w", i+1, variant.Name, err)
		}
		seen[variant.Name] = true
	}
	return nil
}

var namePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9-]{1,32}$`) })

func (v Variant) check() error {
	maxEffort, known := map[Format]int{WebP: 6, AVIF: 9, JPEG: 0}[v.Format]
	switch {
	case !namePattern().MatchString(v.Name):
		return errors.New("name: must be 1 to 32 of a-z, 0-9 and -")
	case v.Width < 0 || v.Width > MaxSide:
		return fmt.Errorf("width: %d is not within 1 to %d", v.Width, MaxSide)
	case v.Height < 0 || v.Height > MaxSide:
		return fmt.Errorf("height: %d is not within 1 to %d", v.Height, MaxSide)
	case v.Width == 0 && v.Height == 0:
		return errors.New("width: neither width nor height is given")
	case v.Crop != Fit && v.Crop != Attention && v.Crop != Centre:
		return fmt.Errorf("crop: %q is not %q or %q", v.Crop, Attention, Centre)
	case v.Crop != Fit && (v.Width == 0 || v.Height == 0):
		return errors.New("crop: needs both width and height")
	case !known:
		return fmt.Errorf("format: %q is not %q, %q or %q", v.Format, WebP, AVIF, JPEG)
	case v.Quality < 1 || v.Quality > 100:
		return fmt.Errorf("quality: %d is not within 1 to 100", v.Quality)
	case v.Effort < 0 || v.Effort > maxEffort:
		return fmt.Errorf("effort: %d is not within 0 to %d for %s", v.Effort, maxEffort, v.Format)
	}
	return nil
}

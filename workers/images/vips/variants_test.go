package vips

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefaultVariants(t *testing.T) {
	t.Parallel()
	require.Equal(t, []Variant{
		{Name: "thumb", Width: 160, Height: 160, Crop: Attention, Format: WebP, Quality: 80, Effort: 4},
		{Name: "small", Width: 640, Format: WebP, Quality: 80, Effort: 4},
		{Name: "large", Width: 1280, Format: WebP, Quality: 80, Effort: 4},
	}, DefaultVariants())
}

func TestParseVariantsFillsIn(t *testing.T) {
	t.Parallel()
	variants, err := ParseVariants([]byte(`[{"name":"a","width":1},{"name":"b","height":16383,"format":"avif"},
		{"name":"c","width":9,"height":9,"crop":"centre","format":"jpeg"},{"name":"d","width":5,"effort":0}]`))
	require.NoError(t, err)
	require.Equal(t, []Variant{
		{Name: "a", Width: 1, Format: WebP, Quality: 80, Effort: 4},
		{Name: "b", Height: 16383, Format: AVIF, Quality: 50, Effort: 2},
		{Name: "c", Width: 9, Height: 9, Crop: Centre, Format: JPEG, Quality: 80},
		{Name: "d", Width: 5, Format: WebP, Quality: 80},
	}, variants)
}

func TestParseVariantsIsStrict(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 33)
	for data, message := range map[string]string{
		``:                                       "variants: EOF",
		`{}`:                                     "variants: json:",
		`[]`:                                     "variants: the list is empty",
		`[] []`:                                  "variants: something follows the list",
		`[null]`:                                 `variant 1 (""): name:`,
		`[{"width":1}]`:                          `variant 1 (""): name:`,
		`[{"name":"A"}]`:                         `variant 1 ("A"): name:`,
		`[{"name":"` + long + `"}]`:              "name: must be 1 to 32 of",
		`[{"name":"a"}]`:                         `variant 1 ("a"): width: neither width nor height is given`,
		`[{"name":"a","width":0}]`:               "width: neither",
		`[{"name":"a","width":-1}]`:              "width: -1 is not within 1 to 16383",
		`[{"name":"a","width":16384}]`:           "width: 16384 is not within 1 to 16383",
		`[{"name":"a","height":16384}]`:          "height: 16384 is not within 1 to 16383",
		`[{"name":"a","width":1.5}]`:             "width",
		`[{"name":"a","width":1,"sharp":true}]`:  `unknown field "sharp"`,
		`[{"name":"a","width":1,"crop":"left"}]`: `crop: "left" is not`,
		`[{"name":"a","width":1,"crop":"centre"}]`:             "crop: needs both",
		`[{"name":"a","width":1,"format":"gif"}]`:              `format: "gif" is not`,
		`[{"name":"a","width":1,"format":""}]`:                 `format: "" is not`,
		`[{"name":"a","width":1,"quality":0}]`:                 "quality: 0 is not within 1 to 100",
		`[{"name":"a","width":1,"quality":101}]`:               "quality: 101",
		`[{"name":"a","width":1,"effort":7}]`:                  "effort: 7 is not within 0 to 6 for webp",
		`[{"name":"a","width":1,"effort":10,"format":"avif"}]`: "effort: 10 is not within 0 to 9 for avif",
		`[{"name":"a","width":1,"effort":1,"format":"jpeg"}]`:  "effort: 1 is not within 0 to 0 for jpeg",
		`[{"name":"a","width":1},{"name":"a","width":2}]`:      `variant 2 ("a"): name: another variant has it`,
	} {
		_, err := ParseVariants([]byte(data))
		require.ErrorContains(t, err, message, data)
	}
	many := make([]string, maxVariants+1)
	for i := range many {
		many[i] = fmt.Sprintf(`{"name":"v%d","width":1}`, i)
	}
	_, err := ParseVariants([]byte("[" + strings.Join(many, ",") + "]"))
	require.ErrorContains(t, err, "33 are listed, and 32 is the most")
}

func TestNamesOfFormats(t *testing.T) {
	t.Parallel()
	require.Equal(t, "image/webp .webp image/avif .avif image/jpeg .jpg", strings.Join([]string{
		WebP.ContentType(), WebP.Extension(), AVIF.ContentType(), AVIF.Extension(), JPEG.ContentType(), JPEG.Extension(),
	}, " "))
}

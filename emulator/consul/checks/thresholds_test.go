package checks

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Each letter is a result that a probe finds, or the status that the check has after it: passing, warning, critical, or still
// the one before (-). The sequences are those that the running agent went through.
func TestThresholds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		d           Definition
		found, want string
	}{
		"none":                  {Definition{}, "pwcpcw", "pwcpcw"},
		"success":               {Definition{SuccessBeforePassing: 3}, "ppppcpppcpcw", "--ppc--pc-c-"},
		"a warning is success":  {Definition{SuccessBeforePassing: 2}, "cwcww", "c-c-w"},
		"critical":              {Definition{FailuresBeforeCritical: 3}, "pccpccccw", "p--p--ccw"},
		"warning, critical":     {Definition{FailuresBeforeWarning: 2, FailuresBeforeCritical: 4}, "pccccpccw", "p-wwcp-ww"},
		"warning at once":       {Definition{FailuresBeforeWarning: 1, FailuresBeforeCritical: 3}, "pcccp", "pwwcp"},
		"less than one is one":  {Definition{SuccessBeforePassing: -2, FailuresBeforeWarning: -3}, "pcp", "pcp"},
		"both, interleaved":     {Definition{SuccessBeforePassing: 2, FailuresBeforeCritical: 2}, "ppcpcpccpp", "-p----" + "-c-p"},
		"warnings end failures": {Definition{FailuresBeforeCritical: 2}, "pcwcwcc", "p-w-w-c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			thresholds := newThresholds(c.d)
			var got strings.Builder
			for i, letter := range c.found {
				found := map[rune]Result{'p': passing("p"), 'w': warning("w"), 'c': critical("c")}[letter]
				result, ok := thresholds.take(found)
				if !ok {
					got.WriteByte('-')
					continue
				}
				assert.Equal(t, found.Output, result.Output, "the output of result %d", i)
				got.WriteByte(result.Status[0])
			}
			assert.Equal(t, c.want, got.String())
		})
	}
}

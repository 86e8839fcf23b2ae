package jobs

import (
	"fmt"
	"strings"
)

// problems are what is wrong with a job or with a part of it, in order.
type problems []string

func (p *problems) add(format string, args ...any) {
	*p = append(*p, fmt.Sprintf(format, args...))
}

// when adds a problem if there is one.
func (p *problems) when(wrong bool, format string, args ...any) {
	if wrong {
		p.add(format, args...)
	}
}

// in adds as one problem those of a part, below a heading that ends with them.
func (p *problems) in(part problems, heading string, args ...any) {
	if len(part) > 0 {
		p.add("%s", fmt.Sprintf(heading, args...)+part.String())
	}
}

// String has all problems in one text, as the real program prints several errors.
func (p problems) String() string {
	noun := "errors"
	if len(p) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d %s occurred:\n\t* %s\n\n", len(p), noun, strings.Join(p, "\n\t* "))
}

// Refusal is the text with which a registration is refused, given the errors of
// Validate.
func Refusal(errors []string) string { return problems(errors).String() }

// Warnings has the warnings about a job in one text, or is empty.
func Warnings(warnings []string) string {
	if len(warnings) == 0 {
		return ""
	}
	noun := "warnings"
	if len(warnings) == 1 {
		noun = "warning"
	}
	text := fmt.Sprintf("%d %s:\n", len(warnings), noun)
	for _, w := range warnings {
		text += "\n* " + strings.TrimSpace(w)
	}
	return text
}

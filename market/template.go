package market

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// template is a URL with places for values.
type template struct {
	parts []part
}

// part is literal text, or the name of the value that goes there.
type part struct{ text, name string }

var placeForm = regexp.MustCompile(`\$?\{[^{}]*\}`)

// parseTemplate reads a URL that may have the given values in it. Those of
// the environment are filled in at once.
func parseTemplate(text string, getenv func(string) string, allowed ...string) (template, error) {
	var t template
	end := 0
	for _, found := range placeForm.FindAllStringIndex(text, -1) {
		t.literal(text[end:found[0]])
		end = found[1]
		name := text[found[0]:found[1]]
		if strings.HasPrefix(name, "$") {
			value, err := substitute(name, getenv)
			if err != nil {
				return template{}, err
			}
			t.literal(escape(value))
			continue
		}
		name = strings.Trim(name, "{}")
		if !slices.Contains(allowed, name) {
			return template{}, fmt.Errorf("{%.40s} has no meaning: it takes {%s}", name, strings.Join(allowed, "}, {"))
		}
		t.parts = append(t.parts, part{name: name})
	}
	t.literal(text[end:])
	return t, t.check()
}

func (t *template) literal(text string) {
	if text != "" {
		t.parts = append(t.parts, part{text: text})
	}
}

func (t template) check() error {
	u, err := url.Parse(t.expand(nil))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("it is not an absolute http or https URL")
	}
	if strings.ContainsAny(t.expand(nil), "{}") {
		return errors.New("it has a { or } without the other")
	}
	filled := map[string]string{}
	for _, p := range t.parts {
		filled[p.name] = "x"
	}
	delete(filled, "") // that of literal parts
	if with, err := url.Parse(t.expand(filled)); err != nil || with.Host != u.Host {
		return errors.New("the host takes no values")
	}
	return nil
}

// host is the URL's host and port.
func (t template) host() string {
	u, err := url.Parse(t.expand(nil))
	if err != nil {
		return "" // was checked
	}
	return u.Host
}

func (t template) has(name string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.name == name })
}

// expand fills in values, which have to be escaped.
func (t template) expand(values map[string]string) string {
	var text strings.Builder
	for _, p := range t.parts {
		text.WriteString(p.text)
		text.WriteString(values[p.name])
	}
	return text.String()
}

// escape makes text fit for any place of a URL's path or query.
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

var environmentForm = regexp.MustCompile(`\$\{[^{}]*\}`)

// substitute fills in values of the environment, which have to be there.
func substitute(text string, getenv func(string) string) (string, error) {
	var missing string
	filled := environmentForm.ReplaceAllStringFunc(text, func(place string) string {
		name := place[2 : len(place)-1]
		value := getenv(name)
		if value == "" {
			missing = name
		}
		return value
	})
	if missing != "" {
		return "", fmt.Errorf("the environment has no %.60s, which it names", missing)
	}
	return filled, nil
}

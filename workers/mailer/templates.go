package mailer

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/drydock/drydock/contract"
)

// Each kind of mail has a <kind>.txt, which defines "subject" too, and a <kind>.html.
//
//go:embed templates
var builtIn embed.FS

var kinds = []string{"alert", "digest"}

const (
	maxTemplate = 256 << 10 // bytes
	maxSubject  = 200       // bytes, of what a subject shows
)

type templates struct {
	text map[string]*texttemplate.Template
	html map[string]*htmltemplate.Template
}

// alertData and digestData are what the templates are given.
type alertData struct {
	line
	Unsubscribe string
}

type digestData struct {
	Lines       []line
	Minute      string // "14:03 UTC on Monday, 2 March 2026"
	Unsubscribe string
}

// line tells of one alert.
type line struct {
	What   string // "ACME fell below 95.00"
	Value  string // "94.20"
	At     string // "14:03:05 UTC"
	Day    string // "Monday, 2 March 2026"
	Note   string // the owner's own words
	Symbol string
	Volume string
	ID     string
}

// loadTemplates reads the built-in templates and those of the folder that
// replace them, and tries each.
func loadTemplates(folder string) (*templates, error) {
	t := &templates{text: map[string]*texttemplate.Template{}, html: map[string]*htmltemplate.Template{}}
	samples := map[string]any{"alert": alertData{}, "digest": digestData{Lines: []line{{}}}}
	for _, kind := range kinds {
		text, err := readTemplate(folder, kind+".txt")
		if err != nil {
			return nil, err
		}
		if t.text[kind], err = texttemplate.New(kind).Option("missingkey=error").Parse(text); err != nil {
			return nil, fmt.Errorf("template %s.txt: %w", kind, err)
		}
		html, err := readTemplate(folder, kind+".html")
		if err != nil {
			return nil, err
		}
		if t.html[kind], err = htmltemplate.New(kind).Option("missingkey=error").Parse(html); err != nil {
			return nil, fmt.Errorf("template %s.html: %w", kind, err)
		}
		if _, _, _, err := t.render(kind, samples[kind]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func readTemplate(folder, name string) (string, error) {
	if folder == "" {
		text, err := fs.ReadFile(builtIn, "templates/"+name)
		return string(text), err
	}
	file, err := os.Open(filepath.Join(folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return readTemplate("", name)
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxTemplate+1))
	if err == nil && len(text) > maxTemplate {
		err = fmt.Errorf("template %s is more than %d bytes", name, maxTemplate)
	}
	return string(text), err
}

// render makes the forms of a mail.
func (t *templates) render(kind string, data any) (subject, text, html string, err error) {
	var s, plain, rich bytes.Buffer
	if err := t.text[kind].ExecuteTemplate(&s, "subject", data); err != nil {
		return "", "", "", fmt.Errorf("template %s.txt: %w", kind, err)
	}
	if err := t.text[kind].Execute(&plain, data); err != nil {
		return "", "", "", fmt.Errorf("template %s.txt: %w", kind, err)
	}
	if err := t.html[kind].Execute(&rich, data); err != nil {
		return "", "", "", fmt.Errorf("template %s.html: %w", kind, err)
	}
	subject = strings.Join(strings.Fields(s.String()), " ") // one line, whatever was put into it
	if len(subject) > maxSubject {
		subject = strings.ToValidUTF8(subject[:maxSubject], "") + "…"
	}
	return subject, strings.TrimLeft(plain.String(), "\n"), rich.String(), nil
}

func (m *Mailer) digestData(p part, minute time.Time) digestData {
	d := digestData{Unsubscribe: m.unsubscribe(p.Address), Minute: minute.Format("15:04 MST on Monday, 2 January 2006")}
	for _, i := range p.Items {
		d.Lines = append(d.Lines, i.line())
	}
	return d
}

// line tells of the alert in words.
func (i item) line() line {
	a := i.Alert
	at := a.Time.UTC()
	return line{
		What: i.what(), Value: number(a.Price), Note: i.Note, Symbol: a.Symbol, ID: a.ID, Volume: number(a.Volume),
		At: at.Format("15:04:05 MST"), Day: at.Format("Monday, 2 January 2006"),
	}
}

func (i item) what() string {
	a := i.Alert
	level := number(a.Level)
	switch {
	case a.Kind == contract.Above && a.Price == a.Level, a.Kind == contract.Below && a.Price == a.Level:
		return a.Symbol + " reached " + level
	case a.Kind == contract.Above:
		return a.Symbol + " rose above " + level
	case a.Kind == contract.Below:
		return a.Symbol + " fell below " + level
	case a.Kind == contract.Crosses:
		return a.Symbol + " crossed " + level
	case a.Kind == contract.Change:
		moved := "rose"
		if a.Value < 0 {
			moved = "fell"
		}
		return fmt.Sprintf("%s %s by %s%% within %s", a.Symbol, moved, rounded(math.Abs(a.Value)), span(i.Window))
	case a.Kind == contract.Volume:
		return fmt.Sprintf("%s traded %s times its mean volume of %s", a.Symbol, rounded(a.Value), span(i.Window))
	}
	return fmt.Sprintf("%s met the condition %s at %s", a.Symbol, a.Kind, level)
}

// number writes a price with all of its decimals, and at least two.
func number(value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	whole, decimals, _ := strings.Cut(text, ".")
	for len(decimals) < 2 {
		decimals += "0"
	}
	return whole + "." + decimals
}

func rounded(value float64) string { return strconv.FormatFloat(value, 'f', 1, 64) }

// span writes seconds as people say them: "90 seconds", "5 minutes", "1 hour".
func span(seconds int) string {
	n, unit := seconds, "second"
	switch {
	case seconds > 0 && seconds%3600 == 0:
		n, unit = seconds/3600, "hour"
	case seconds > 0 && seconds%60 == 0:
		n, unit = seconds/60, "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

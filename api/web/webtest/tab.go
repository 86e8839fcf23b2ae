package webtest

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Tab is a tab of a browser, with a profile of its own. It notes what must not
// happen, and fails the test for it in the end: exceptions, complaints of the
// browser (the content security policy's too) and requests to other machines.
// Its methods fail the test when what they wait for does not come.
type Tab struct {
	URL string // what Open has opened last

	t       *testing.T
	ctx     context.Context
	helpers string

	mu       sync.Mutex
	problems []string
	failures bool // of requests are no problem
}

// OpenTab opens a tab that ends with the test. Expressions that it evaluates
// know $ and $$, which find the first and all elements of a selector, and what
// the JavaScript in helpers defines.
func OpenTab(t *testing.T, browser context.Context, helpers string) *Tab {
	t.Helper()
	b := &Tab{t: t, helpers: `
		window.$ = (selector) => document.querySelector(selector);
		window.$$ = (selector) => [...document.querySelectorAll(selector)];
		` + helpers + `
		undefined`}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.ctx = ctx
	require.NoError(t, chromedp.Do(ctx)) // opens it; without a bound, as the tab would end with that
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		assert.Empty(t, b.problems)
	})
	return b
}

// AllowFailures says that requests may fail from now on: servers are away for a
// while, or refuse what they are asked.
func (b *Tab) AllowFailures() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = true
}

func (b *Tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	note := func(format string, args ...any) { b.problems = append(b.problems, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		note("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, arg := range e.Args {
				note("console: %s %s", arg.Value, arg.Description)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !(b.failures && e.Entry.Source == log.EntrySourceNetwork) {
			note("browser: %s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Host != "" && u.Hostname() != "127.0.0.1" {
			note("foreign request: %s", e.Request.URL)
		}
	}
}

// Do runs actions.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, Patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, actions...))
}

// Open goes to an address.
func (b *Tab) Open(address string) {
	b.t.Helper()
	b.URL = address
	b.Do(chromedp.Navigate(address), chromedp.Evaluate[chromedp.Void](b.helpers))
}

// Value evaluates JavaScript in a tab.
func Value[T any](b *Tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, Patience)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(b.t, err, expression)
	return result
}

// Wait waits until a condition in JavaScript holds.
func (b *Tab) Wait(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, Patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool](condition))
		if err == nil && holds {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.Fail(b.t, "waited in vain", "for %s: %v\n%v\nThe page shows:\n%s", condition, err, b.noted(), b.Text("body"))
		}
	}
}

func (b *Tab) noted() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problems
}

// Text is what an element shows.
func (b *Tab) Text(selector string) string {
	b.t.Helper()
	return Value[string](b, fmt.Sprintf(`document.querySelector(%q).innerText`, selector))
}

// Click clicks an element once it is there and not disabled: a button that works
// cannot be pressed meanwhile, and a press on it would be lost.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.Wait(fmt.Sprintf(`((element) => element !== null && !element.disabled)(document.querySelector(%q))`, selector))
	b.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Press presses keys, one after another.
func (b *Tab) Press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.Do(chromedp.KeyEvent(key))
	}
}

// TabTo presses Tab until an element that fits has the focus.
func (b *Tab) TabTo(selector string) {
	b.t.Helper()
	for range 40 {
		b.Press(kb.Tab)
		if Value[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
	}
	require.Fail(b.t, "not reached by Tab", selector)
}

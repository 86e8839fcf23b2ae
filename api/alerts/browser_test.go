package alerts

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
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

	"github.com/drydock/drydock/contract"
)

// TestPage drives the page in a real browser.
func TestPage(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	for name, test := range map[string]func(*testing.T, context.Context){
		"a rule's life":    testLife,
		"faults are named": testFaults,
		"many rules":       testManyRules,
		"alerts come":      testAlertsCome,
		"keyboard only":    testKeyboard,
		"phone":            testPhone,
		"unsubscribe":      testUnsubscribe,
		"documentation":    testDocumentation,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, browser)
		})
	}
}

func testLife(t *testing.T, browser context.Context) {
	b := start(t)
	b.market.quotes = saw(time.Now(), "ACME", 100)
	p := openPage(t, browser, b)
	p.wait(`!$("#no-rules").hidden`)

	p.fill("#symbol", "ACME")
	p.fill("#price", "10,00")
	p.fill("#address", "ann@example.com")
	p.click("#try")
	p.wait(`$("#tried").textContent.startsWith("Would have fired once from ")`)
	assert.Zero(t, b.index.size())
	p.click("summary")
	p.click("#repeat")
	p.click("#try")
	p.wait(`$("#tried").textContent.startsWith("Would have fired 15 times from ")`)
	p.fill("#note", "<b>Sell</b>")
	p.click("#set")
	p.wait(`$$(".rule").length === 1 && $("#total").textContent === "1"`)
	assert.Equal(t, "Price at or over 10", p.text(".rule .what"))
	assert.Equal(t, "to ann@example.com · every time · “<b>Sell</b>”", p.text(".rule .where"))

	p.click(".rule [data-do=try]")
	p.wait(`$(".rule .tried").textContent.startsWith("Would have fired 15 times")`)
	p.click(".rule [data-do=pause]")
	p.wait(`$(".rule").dataset.state === "paused" && document.activeElement === $(".rule [data-do=resume]")`)
	p.click(".rule [data-do=resume]")
	p.wait(`$(".rule").dataset.state === "armed"`)

	p.choose("#kind", "change")
	p.fill("#percent", "−5")
	p.choose("#channel", "webhook")
	p.fill("#address", "https://example.com/hook")
	p.click("#set")
	p.wait(`$$(".rule").length === 2 && !$("#secret").hidden`)
	page := ask[Page](t, b, "demo", http.MethodGet, "/v1/alerts", "", http.StatusOK)
	require.Len(t, page.Rules, 2)
	assert.Equal(t, contract.Condition{Kind: contract.Change, Percent: -5, Window: 300}, page.Rules[0].Condition)
	assert.Equal(t, b.kept(t, "demo", page.Rules[0].ID).Channel.Secret, p.text("#secret code"))
	assert.Equal(t, "−5\u00a0% within 5\u00a0minutes", p.text(".rule .what"), "the newest comes first")
	p.click("#secret button")
	p.wait(`$("#secret").hidden && $("#secret code").textContent === ""`)

	p.open(p.url)
	p.wait(`$$(".rule").length === 2`)
	p.click(".rule [data-do=delete]")
	p.click("#confirm [value=keep]")
	p.wait(`!$("#confirm").open`)
	assert.Equal(t, 2, b.index.size())
	p.click(".rule [data-do=delete]")
	p.click("#confirm [value=delete]")
	p.wait(`$$(".rule").length === 1 && $("#total").textContent === "1"`)
	assert.Equal(t, 1, b.index.size())
}

func testFaults(t *testing.T, browser context.Context) {
	b := start(t)
	p := openPage(t, browser, b)
	p.click("#set")
	p.wait(`document.activeElement === $("#price") && !$("#form-problem").hidden && $("#price").ariaInvalid === "true"`)
	p.fill("#price", "10")
	p.click("#set")
	p.wait(`document.activeElement === $("#symbol")`)
	p.refused = true
	p.fill("#symbol", "NONE")
	p.fill("#address", "nobody")
	p.click("#set")
	p.wait(`$("#form-problem").textContent.includes("nobody")`)
	p.fill("#address", "ann@example.com")
	p.click("#set")
	p.wait(`$("#form-problem").textContent === "The market has no such symbol."`)
	b.market.err = errAway
	p.fill("#symbol", "ACME")
	p.click("#try")
	p.wait(`$("#form-problem").textContent.includes("cannot be read")`)
	assert.Zero(t, b.index.size())
	p.click("#set")
	p.wait(`$$(".rule").length === 1 && $("#form-problem").hidden`)
}

func testManyRules(t *testing.T, browser context.Context) {
	b := start(t)
	for i := range 45 {
		b.set(t, "demo", simple("ACME", float64(i+1)))
	}
	p := openPage(t, browser, b)
	p.wait(`$$(".rule").length === 20 && $("#total").textContent === "45"`)
	p.click("#more")
	p.wait(`$$(".rule").length === 40`)
	p.click("#more")
	p.wait(`$$(".rule").length === 45 && $("#more").hidden`)
}

func testAlertsCome(t *testing.T, browser context.Context) {
	b := start(t)
	b.fire(t, "demo", 1)
	p := openPage(t, browser, b)
	b.fire(t, "demo", 2)
	b.fire(t, "other", 3)
	p.wait(`$$("#alerts li").length === 1 && $("#no-alerts").hidden`)
	assert.Contains(t, p.text("#alerts li"), "at 12, at or over 10")
	for i := range 60 {
		b.fire(t, "demo", 10+i)
	}
	p.wait(`$$("#alerts li").length === 50 && $("#alerts li").textContent.includes("at 79,")`)
}

func testKeyboard(t *testing.T, browser context.Context) {
	b := start(t)
	p := openPage(t, browser, b)
	p.tabTo("#symbol")
	p.press("A", "C", "M", "E")
	p.tabTo("#price")
	p.press("7")
	p.tabTo("#address")
	for _, letter := range "ann@example.com" {
		p.press(string(letter))
	}
	p.press(kb.Enter)
	p.wait(`$$(".rule").length === 1`)
	p.tabTo(".rule [data-do=delete]")
	p.press(kb.Enter)
	p.wait(`$("#confirm").open && document.activeElement.value === "keep"`)
	p.press(kb.Escape)
	p.wait(`!$("#confirm").open && document.activeElement.matches(".rule [data-do=delete]")`)
	p.press(kb.Enter)
	p.wait(`$("#confirm").open`)
	p.tabTo("#confirm [value=delete]")
	p.press(kb.Enter)
	p.wait(`$$(".rule").length === 0 && document.activeElement === $("#rules")`)
}

func testPhone(t *testing.T, browser context.Context) {
	b := start(t)
	b.set(t, "demo", webhook("https://example.com/a-very-long-path-without-any-place-to-break-it-that-is-wider-than-a-phone"))
	p := openTab(t, browser)
	p.do(chromedp.EmulateViewport(360, 740))
	p.openPage(b)
	p.wait(`$$(".rule").length === 1`)
	assert.LessOrEqual(t, value[int](p, `document.documentElement.scrollWidth`), 360, "nothing is to be scrolled sideways")
}

func testUnsubscribe(t *testing.T, browser context.Context) {
	b := start(t)
	p := openTab(t, browser)
	p.open(b.url + contract.PathUnsubscribe + contract.UnsubscribeToken(secretKey, "ann@example.com"))
	assert.Contains(t, p.text("main"), "ann@example.com")
	assert.Equal(t, "rgb(10, 97, 114)", value[string](p, `getComputedStyle($("button")).backgroundColor`), "it is styled")
	p.click("button")
	p.wait(`document.querySelector("h1")?.textContent === "Unsubscribed"`)
	ask[Suppression](t, b, "", http.MethodGet, "/v1/suppressions/ann@example.com", "", http.StatusOK)
}

func testDocumentation(t *testing.T, browser context.Context) {
	b := start(t)
	p := openTab(t, browser)
	p.open(b.url + "/docs")
	p.wait(`document.querySelectorAll(".opblock").length === 15`)
}

// startBrowser starts a browser that ends with the test.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	require.NotEmpty(t, path, "the page's tests need a browser: install Chromium (apt-get install chromium; brew install --cask google-chrome)")
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.WindowSize(1280, 900),
	}
	// The last three keep the tabs that are not in front as quick as the one that is.
	for _, flag := range []string{
		"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage",
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, _ := chromedp.NewContext(allocator)
	t.Cleanup(func() { // asked to, it leaves nothing; stop would kill it
		closing, cancel := context.WithTimeout(browser, patience)
		defer cancel()
		assert.NoError(t, chromedp.Cancel(closing))
	})
	require.NoError(t, chromedp.Do(browser), "start %s", path)
	return browser
}

// tab is a tab of the browser, with a profile of its own. It notes what must
// not happen, and fails the test for it in the end.
type tab struct {
	t       *testing.T
	ctx     context.Context
	url     string
	refused bool // the API may refuse requests

	mu       sync.Mutex
	problems []string
}

func openTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	p := &tab{t: t}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.listen))
	t.Cleanup(cancel)
	p.ctx = ctx
	require.NoError(t, chromedp.Do(ctx)) // opens it; without a bound, as the tab would end with that
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		assert.Empty(t, p.problems)
	})
	return p
}

// openPage opens the service's page in a tab of its own.
func openPage(t *testing.T, browser context.Context, b *bench) *tab {
	t.Helper()
	p := openTab(t, browser)
	p.openPage(b)
	return p
}

func (p *tab) openPage(b *bench) {
	p.t.Helper()
	p.open(b.url + "/")
	p.wait(`$("#connection").dataset.state === "connected"`)
}

// listen notes exceptions, complaints of the browser (the policy's too) and
// requests to other machines.
func (p *tab) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.note("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, arg := range e.Args {
				p.note("console: %s %s", arg.Value, arg.Description)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !(p.refused && e.Entry.Source == log.EntrySourceNetwork) {
			p.note("browser: %s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Host != "" && u.Hostname() != "127.0.0.1" {
			p.note("foreign request: %s", e.Request.URL)
		}
	}
}

func (p *tab) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// do runs actions; a test waits no longer than patience for them.
func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, actions...))
}

// helpers are known to every expression that tests evaluate.
const helpers = `
	window.$ = (selector) => document.querySelector(selector);
	window.$$ = (selector) => [...document.querySelectorAll(selector)];
	undefined`

func (p *tab) open(address string) {
	p.t.Helper()
	p.url = address
	p.do(chromedp.Navigate(address), chromedp.Evaluate[chromedp.Void](helpers))
}

// value evaluates JavaScript.
func value[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(p.t, err, expression)
	return result
}

// wait waits until a condition in JavaScript holds.
func (p *tab) wait(condition string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
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
			require.Fail(p.t, "waited in vain", "for %s: %v\n%v\nThe page shows:\n%s", condition, err, p.problems, p.text("body"))
		}
	}
}

func (p *tab) text(selector string) string {
	p.t.Helper()
	return value[string](p, fmt.Sprintf(`document.querySelector(%q).innerText`, selector))
}

// click clicks what is not disabled: a button that works cannot be pressed
// meanwhile, and a press on it would be lost.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`document.querySelector(%q)?.disabled !== true`, selector))
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// fill types into a field that is emptied first.
func (p *tab) fill(selector, text string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`$(%q).value = ""; $(%q).focus(); undefined`, selector, selector)))
	p.do(chromedp.KeyEvent(text))
}

// choose chooses an option, as people do.
func (p *tab) choose(selector, option string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`$(%q).value = %q; $(%q).dispatchEvent(new Event("change", {bubbles: true})); undefined`, selector, option, selector)))
}

func (p *tab) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		p.do(chromedp.KeyEvent(key))
	}
}

// tabTo presses Tab until an element that fits has the focus.
func (p *tab) tabTo(selector string) {
	p.t.Helper()
	for range 40 {
		p.press(kb.Tab)
		if value[bool](p, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
	}
	require.Fail(p.t, "not reached by Tab", selector)
}

package alerts

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/web/webtest"
	"github.com/drydock/drydock/contract"
)

// TestPage drives the page in a real browser.
func TestPage(t *testing.T) {
	t.Parallel()
	browser := webtest.StartBrowser(t)
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
	p.Wait(`!$("#no-rules").hidden`)

	p.fill("#symbol", "ACME")
	p.fill("#price", "10,00")
	p.fill("#address", "ann@example.com")
	p.Click("#try")
	p.Wait(`$("#tried").textContent.startsWith("Would have fired once from ")`)
	assert.Zero(t, b.index.size())
	p.Click("summary")
	p.Click("#repeat")
	p.Click("#try")
	p.Wait(`$("#tried").textContent.startsWith("Would have fired 15 times from ")`)
	p.fill("#note", "<b>Sell</b>")
	p.Click("#set")
	p.Wait(`$$(".rule").length === 1 && $("#total").textContent === "1"`)
	assert.Equal(t, "Price at or over 10", p.Text(".rule .what"))
	assert.Equal(t, "to ann@example.com · every time · “<b>Sell</b>”", p.Text(".rule .where"))

	p.Click(".rule [data-do=try]")
	p.Wait(`$(".rule .tried").textContent.startsWith("Would have fired 15 times")`)
	p.Click(".rule [data-do=pause]")
	p.Wait(`$(".rule").dataset.state === "paused" && document.activeElement === $(".rule [data-do=resume]")`)
	p.Click(".rule [data-do=resume]")
	p.Wait(`$(".rule").dataset.state === "armed"`)

	p.choose("#kind", "change")
	p.fill("#percent", "−5")
	p.choose("#channel", "webhook")
	p.fill("#address", "https://example.com/hook")
	p.Click("#set")
	p.Wait(`$$(".rule").length === 2 && !$("#secret").hidden`)
	page := ask[Page](t, b, "demo", http.MethodGet, "/v1/alerts", "", http.StatusOK)
	require.Len(t, page.Rules, 2)
	assert.Equal(t, contract.Condition{Kind: contract.Change, Percent: -5, Window: 300}, page.Rules[0].Condition)
	assert.Equal(t, b.kept(t, "demo", page.Rules[0].ID).Channel.Secret, p.Text("#secret code"))
	assert.Equal(t, "−5\u00a0% within 5\u00a0minutes", p.Text(".rule .what"), "the newest comes first")
	p.Click("#secret button")
	p.Wait(`$("#secret").hidden && $("#secret code").textContent === ""`)

	p.Open(p.URL)
	p.Wait(`$$(".rule").length === 2`)
	p.Click(".rule [data-do=delete]")
	p.Click("#confirm [value=keep]")
	p.Wait(`!$("#confirm").open`)
	assert.Equal(t, 2, b.index.size())
	p.Click(".rule [data-do=delete]")
	p.Click("#confirm [value=delete]")
	p.Wait(`$$(".rule").length === 1 && $("#total").textContent === "1"`)
	assert.Equal(t, 1, b.index.size())
}

func testFaults(t *testing.T, browser context.Context) {
	b := start(t)
	p := openPage(t, browser, b)
	p.Click("#set")
	p.Wait(`document.activeElement === $("#price") && !$("#form-problem").hidden && $("#price").ariaInvalid === "true"`)
	p.fill("#price", "10")
	p.Click("#set")
	p.Wait(`document.activeElement === $("#symbol")`)
	p.AllowFailures()
	p.fill("#symbol", "NONE")
	p.fill("#address", "nobody")
	p.Click("#set")
	p.Wait(`$("#form-problem").textContent.includes("nobody")`)
	p.fill("#address", "ann@example.com")
	p.Click("#set")
	p.Wait(`$("#form-problem").textContent === "The market has no such symbol."`)
	b.market.err = errAway
	p.fill("#symbol", "ACME")
	p.Click("#try")
	p.Wait(`$("#form-problem").textContent.includes("cannot be read")`)
	assert.Zero(t, b.index.size())
	p.Click("#set")
	p.Wait(`$$(".rule").length === 1 && $("#form-problem").hidden`)
}

func testManyRules(t *testing.T, browser context.Context) {
	b := start(t)
	for i := range 45 {
		b.set(t, "demo", simple("ACME", float64(i+1)))
	}
	p := openPage(t, browser, b)
	p.Wait(`$$(".rule").length === 20 && $("#total").textContent === "45"`)
	p.Click("#more")
	p.Wait(`$$(".rule").length === 40`)
	p.Click("#more")
	p.Wait(`$$(".rule").length === 45 && $("#more").hidden`)
}

func testAlertsCome(t *testing.T, browser context.Context) {
	b := start(t)
	b.fire(t, "demo", 1)
	p := openPage(t, browser, b)
	b.fire(t, "demo", 2)
	b.fire(t, "other", 3)
	p.Wait(`$$("#alerts li").length === 1 && $("#no-alerts").hidden`)
	assert.Contains(t, p.Text("#alerts li"), "at 12, at or over 10")
	for i := range 60 {
		b.fire(t, "demo", 10+i)
	}
	p.Wait(`$$("#alerts li").length === 50 && $("#alerts li").textContent.includes("at 79,")`)
}

func testKeyboard(t *testing.T, browser context.Context) {
	b := start(t)
	p := openPage(t, browser, b)
	p.TabTo("#symbol")
	p.Press("A", "C", "M", "E")
	p.TabTo("#price")
	p.Press("7")
	p.TabTo("#address")
	for _, letter := range "ann@example.com" {
		p.Press(string(letter))
	}
	p.Press(kb.Enter)
	p.Wait(`$$(".rule").length === 1`)
	p.TabTo(".rule [data-do=delete]")
	p.Press(kb.Enter)
	p.Wait(`$("#confirm").open && document.activeElement.value === "keep"`)
	p.Press(kb.Escape)
	p.Wait(`!$("#confirm").open && document.activeElement.matches(".rule [data-do=delete]")`)
	p.Press(kb.Enter)
	p.Wait(`$("#confirm").open`)
	p.TabTo("#confirm [value=delete]")
	p.Press(kb.Enter)
	p.Wait(`$$(".rule").length === 0 && document.activeElement === $("#rules")`)
}

func testPhone(t *testing.T, browser context.Context) {
	b := start(t)
	b.set(t, "demo", webhook("https://example.com/a-very-long-path-without-any-place-to-break-it-that-is-wider-than-a-phone"))
	p := openTab(t, browser)
	p.Do(chromedp.EmulateViewport(360, 740))
	p.openPage(b)
	p.Wait(`$$(".rule").length === 1`)
	assert.LessOrEqual(t, webtest.Value[int](p.Tab, `document.documentElement.scrollWidth`), 360, "nothing is to be scrolled sideways")
}

func testUnsubscribe(t *testing.T, browser context.Context) {
	b := start(t)
	p := openTab(t, browser)
	p.Open(b.url + contract.PathUnsubscribe + contract.UnsubscribeToken(secretKey, "ann@example.com"))
	assert.Contains(t, p.Text("main"), "ann@example.com")
	assert.Equal(t, "rgb(10, 97, 114)", webtest.Value[string](p.Tab, `getComputedStyle($("button")).backgroundColor`), "it is styled")
	p.Click("button")
	p.Wait(`document.querySelector("h1")?.textContent === "Unsubscribed"`)
	ask[Suppression](t, b, "", http.MethodGet, "/v1/suppressions/ann@example.com", "", http.StatusOK)
}

func testDocumentation(t *testing.T, browser context.Context) {
	b := start(t)
	p := openTab(t, browser)
	p.Open(b.url + "/docs")
	p.Wait(`document.querySelectorAll(".opblock").length === 15`)
}

// tab is a tab with the service's page.
type tab struct {
	*webtest.Tab
}

func openTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	return &tab{webtest.OpenTab(t, browser, "")}
}

// openPage opens the service's page in a tab of its own.
func openPage(t *testing.T, browser context.Context, b *bench) *tab {
	t.Helper()
	p := openTab(t, browser)
	p.openPage(b)
	return p
}

func (p *tab) openPage(b *bench) {
	p.Open(b.url + "/")
	p.Wait(`$("#connection").dataset.state === "connected"`)
}

// fill types into a field that is emptied first.
func (p *tab) fill(selector, text string) {
	p.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`$(%q).value = ""; $(%q).focus(); undefined`, selector, selector)))
	p.Do(chromedp.KeyEvent(text))
}

// choose chooses an option, as people do.
func (p *tab) choose(selector, option string) {
	p.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`$(%q).value = %q; $(%q).dispatchEvent(new Event("change", {bubbles: true})); undefined`, selector, option, selector)))
}

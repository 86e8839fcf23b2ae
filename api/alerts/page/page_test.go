package page

import (
	"testing"

	"github.com/drydock/drydock/api/web/webtest"
)

func TestPage(t *testing.T) {
	webtest.Check(t, webtest.Page{
		Handler: Handler(), Static: static, IDs: []string{"form", "rules", "alerts"}, Path: "/v1/alerts",
		Names: []string{"https://example.com/alerts"}, // what a field shows while it is empty
	})
}
